"""The official Python SDK's client, running the scenario of scenario.mjs against a peer server.

    python client.py [--answers sse|json] [--mode legacy|auto] [--timeout S] -- COMMAND [ARG…]   over stdio
    python client.py [--answers sse|json] --url URL --token T                                   direct

Prints one JSON line, as client.mjs does; exit code 0 only if every check held.
"""

import argparse
import asyncio
import json
import os
import sys
import time
import warnings
from contextlib import AsyncExitStack, asynccontextmanager

import httpx2
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CreateMessageResult, ElicitResult, TextContent, ToolListChangedNotification

warnings.filterwarnings("ignore", message=".*deprecated as of.*")

# The server spreads its five steps over 900 ms; a proxy that keeps them back delivers them at once.
STREAMED_OVER_SECONDS = 0.05
# How long the SDK waits after it closed stdin before it sends SIGTERM.
SIGTERM_AFTER_SECONDS = 2.0

parser = argparse.ArgumentParser()
parser.add_argument("--answers", choices=["sse", "json"], default="sse")
parser.add_argument("--mode", default="legacy")
parser.add_argument("--timeout", type=float, default=60)
parser.add_argument("--url")
parser.add_argument("--token")
parser.add_argument("command", nargs="*")
options = parser.parse_args()
direct = options.url is not None
streamed = options.answers == "sse"
if direct == bool(options.command):
    parser.error("give either -- COMMAND [ARG…] or --url URL --token T")

report = {"ok": False, "peer": "python", "transport": "http" if direct else "stdio", "checks": {}, "failed": {}}
heard = {"elicitation": 0, "sampling": 0, "list_changed": 0, "errors": []}


def expect(condition: bool, why: str) -> None:
    # Not `assert`: it must hold under -O too.
    if not condition:
        raise AssertionError(why)


@asynccontextmanager
async def check(name: str):
    """One check; a failure is noted and ends the scenario, for what follows would fail with it."""
    start = time.monotonic()
    try:
        yield
    except BaseException as error:
        report["failed"].setdefault(name, f"{type(error).__name__}: {error}")
        raise
    finally:
        report["checks"][name] = round((time.monotonic() - start) * 1000)


async def elicited(_context, params):
    heard["elicitation"] += 1
    expect(params.message == "Which colour?", params.message)
    return ElicitResult(action="accept", content={"colour": "grün 🌱"})


async def sampled(_context, params):
    heard["sampling"] += 1
    return CreateMessageResult(model="peer-model", role="assistant", content=TextContent(type="text", text="word"))


async def on_message(message):
    if isinstance(message, Exception):
        heard["errors"].append(repr(message))
    elif isinstance(message, ToolListChangedNotification):
        heard["list_changed"] += 1


async def transport(stack: AsyncExitStack):
    if not direct:
        program, *args = options.command
        # The SDK would pass on only a handful of variables; the program under test needs its own.
        return StdioServerParameters(command=program, args=args, env=dict(os.environ))
    headers = {"Authorization": f"Bearer {options.token}"} if options.token else {}
    http = await stack.enter_async_context(httpx2.AsyncClient(headers=headers, timeout=30))
    return streamable_http_client(options.url, http_client=http)


async def said(client: Client, tool: str, arguments=None, **extra) -> str:
    result = await client.call_tool(tool, arguments or {}, **extra)
    expect(not result.is_error, f"{tool}: {result.content}")
    return result.content[0].text


async def names(client: Client) -> list[str]:
    return sorted(tool.name for tool in (await client.list_tools()).tools)


async def progress(client: Client) -> None:
    seen: list[tuple[float, float]] = []

    async def on_progress(step, _total, _message):
        seen.append((step, time.monotonic()))

    text = await said(client, "slow_count", **({"progress_callback": on_progress} if streamed else {}))
    done = time.monotonic()
    expect(text == "counted to 5", text)
    if streamed:
        expect([step for step, _ in seen] == [1, 2, 3, 4, 5], f"all before the result, in order: {seen}")
        expect(done - seen[0][1] >= STREAMED_OVER_SECONDS, "progress was held back until the result")


async def parallel(client: Client) -> None:
    order: list[str] = []

    async def call(tool, arguments=None):
        await said(client, tool, arguments)
        order.append(tool)

    slow = asyncio.create_task(call("slow_count"))
    await call("add", {"a": 1, "b": 1})
    await slow
    expect(order == ["add", "slow_count"], f"a slow call held up a fast one: {order}")


async def list_changed(client: Client) -> None:
    expect(heard["list_changed"] == 0, "before anything changed")
    expect(await said(client, "enable_more") == "enabled", "enable_more")
    # The notification travels on another stream than the answer.
    deadline = time.monotonic() + 15
    while heard["list_changed"] == 0 and time.monotonic() < deadline:
        await asyncio.sleep(0.02)
    expect(heard["list_changed"] == 1, f"list_changed came {heard['list_changed']} times")
    expect("more" in await names(client), "the new tool is not listed")
    expect(await said(client, "more") == "more", "more")


async def scenario() -> None:
    stack = AsyncExitStack()
    client = Client(
        await transport(stack),
        mode=options.mode,
        elicitation_callback=elicited,
        sampling_callback=sampled,
        message_handler=on_message,
        cache=None,
    )
    async with check("connect"):
        await stack.enter_async_context(client)
    report["protocol"] = client.session.protocol_version
    report["server"] = client.session.server_info.name
    try:
        async with check("list"):
            listed = await names(client)
            expect(listed == ["add", "ask", "enable_more", "sample", "slow_count"], str(listed))
        async with check("call"):
            expect(await said(client, "add", {"a": 2, "b": 3}) == "5", "2 + 3")
        async with check("progress"):
            await progress(client)
        async with check("parallel"):
            await parallel(client)
        async with check("elicitation"):
            expect(await said(client, "ask") == "accept: grün 🌱" and heard["elicitation"] == 1, str(heard))
        async with check("sampling"):
            expect(await said(client, "sample") == "peer-model: word" and heard["sampling"] == 1, str(heard))
        async with check("list_changed"):
            await list_changed(client)
    finally:
        async with check("close"):
            start = time.monotonic()
            await stack.aclose()
            signalled = not direct and time.monotonic() - start >= SIGTERM_AFTER_SECONDS
            expect(not signalled, "the command did not end on EOF and had to be signalled")
    async with check("quiet"):
        expect(heard["errors"] == [], str(heard["errors"]))


async def main() -> int:
    try:
        await asyncio.wait_for(scenario(), options.timeout)
    except BaseException as error:  # the report says what failed; a traceback would only hide it
        if not report["failed"]:
            report["failed"]["scenario"] = f"{type(error).__name__}: {error}"
    report["ok"] = not report["failed"]
    print(json.dumps(report), flush=True)
    return 0 if report["ok"] else 1


sys.exit(asyncio.run(main()))
