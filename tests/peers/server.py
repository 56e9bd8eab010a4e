"""A Streamable HTTP MCP server made of the official Python SDK, behind a bearer check.

    python server.py --token T [--token T2] [--token-file F] [--issuer URL] [--log F] [--answers sse|json]

Same options, tools, first line and log as server.mjs. Ends on SIGTERM, or when its stdin closes.
"""

import argparse
import asyncio
import contextlib
import json
import os
import socket
import sys
import threading
import time
import warnings
from pathlib import Path

import uvicorn
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import SamplingMessage, TextContent

# Sampling and friends are deprecated in the newest revision; they are what this peer is for.
warnings.filterwarnings("ignore", message=".*deprecated as of.*")

METADATA = "/.well-known/oauth-protected-resource/mcp"
STEPS = 5
STEP_SECONDS = 0.1
LAST_STEP_SECONDS = 0.5  # see tools.mjs
STREAM_WAIT_SECONDS = 15.0
COLOUR = {"type": "object", "properties": {"colour": {"type": "string"}}, "required": ["colour"]}

parser = argparse.ArgumentParser()
parser.add_argument("--token", action="append", default=[])
parser.add_argument("--token-file", type=Path)
parser.add_argument("--issuer")
parser.add_argument("--log")
parser.add_argument("--answers", choices=["sse", "json"], default="sse")
options = parser.parse_args()
as_json = options.answers == "json"

server = MCPServer("peers-python", version="1.0.0", log_level="WARNING")
streams: dict[str, asyncio.Event] = {}
"""Session id → set once the session's GET stream is open."""


async def listening(ctx: Context) -> None:
    """Waits for the GET stream; what is sent without one is lost."""
    session = (ctx.headers or {})["mcp-session-id"]
    await asyncio.wait_for(streams.setdefault(session, asyncio.Event()).wait(), STREAM_WAIT_SECONDS)


async def related(ctx: Context) -> str | None:
    """The stream for a request to the client: the call's own, or with JSON answers the GET stream."""
    if not as_json:
        return ctx.request_id
    await listening(ctx)
    return None


@server.tool(structured_output=False)
async def add(a: float, b: float) -> str:
    """Adds two numbers"""
    return f"{a + b:g}"


@server.tool(structured_output=False)
async def slow_count(ctx: Context) -> str:
    """Counts to 5 and reports progress"""
    for step in range(1, STEPS + 1):
        if not as_json:
            await ctx.report_progress(step, STEPS, f"step {step}")
        await asyncio.sleep(LAST_STEP_SECONDS if step == STEPS else STEP_SECONDS)
    return f"counted to {STEPS}"


@server.tool(structured_output=False)
async def ask(ctx: Context) -> str:
    """Asks the user for a colour"""
    answer = await ctx.session.elicit_form("Which colour?", COLOUR, related_request_id=await related(ctx))
    return f"{answer.action}: {(answer.content or {}).get('colour')}"


@server.tool(structured_output=False)
async def sample(ctx: Context) -> str:
    """Asks the client's model"""
    message = SamplingMessage(role="user", content=TextContent(type="text", text="Say a word"))
    answer = await ctx.session.create_message(
        [message], max_tokens=16, related_request_id=await related(ctx)
    )
    return f"{answer.model}: {answer.content.text}"


@server.tool(structured_output=False)
async def enable_more(ctx: Context) -> str:
    """Adds the tool `more`"""
    await listening(ctx)

    async def more() -> str:
        """Was not there before"""
        return "more"

    server.add_tool(more, structured_output=False)
    await ctx.session.send_tool_list_changed()
    return "enabled"


def forget_more() -> None:
    """The SDK keeps one tool list for all sessions; the next client is to find what the first one found."""
    with contextlib.suppress(ToolError):
        server.remove_tool("more")


def tokens() -> list[str]:
    if options.token_file is None:
        return options.token
    return options.token + [line for line in options.token_file.read_text().splitlines() if line]


class Gate:
    """The bearer check and the log, in front of the SDK's own application."""

    def __init__(self, app, origin: str):
        self.app, self.origin = app, origin

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        header = headers.get("authorization")
        auth = "missing" if not header else "ok" if header in {f"Bearer {t}" for t in tokens()} else "wrong"
        body, receive = await whole(receive) if scope["method"] == "POST" else (b"", receive)
        rpc = json.loads(body).get("method") if body else None
        log(scope, headers, auth, rpc)
        if options.issuer and scope["path"] == METADATA:
            return await reply(send, 200, {"resource": f"{self.origin}/mcp", "authorization_servers": [options.issuer]})
        if auth != "ok":
            return await reply(send, 401, {"error": auth}, [(b"www-authenticate", self.challenge(auth).encode())])
        if rpc == "initialize":
            forget_more()
        if scope["method"] == "GET" and (session := headers.get("mcp-session-id")):
            opened = streams.setdefault(session, asyncio.Event())
            # The SDK registers the stream before it writes the headers.
            send = after_start(send, opened)
        await self.app(scope, receive, send)

    def challenge(self, auth: str) -> str:
        parameters = ['realm="peers"']
        if auth == "wrong":
            parameters.append('error="invalid_token"')
        if options.issuer:
            parameters.append(f'resource_metadata="{self.origin}{METADATA}"')
        return "Bearer " + ", ".join(parameters)


def after_start(send, opened: asyncio.Event):
    async def wrapped(event):
        await send(event)
        if event["type"] == "http.response.start" and event["status"] == 200:
            opened.set()

    return wrapped


async def whole(receive):
    """The whole body, and a `receive` that gives it again."""
    body, more = b"", True
    while more:
        event = await receive()
        body += event.get("body", b"")
        more = event.get("more_body", False)
    given = False

    async def again():
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return body, again


async def reply(send, status: int, body: dict, extra=()):
    headers = [(b"content-type", b"application/json"), *extra]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})


def log(scope, headers, auth, rpc):
    if options.log is None:
        return
    line = {
        "at": int(time.time() * 1000),
        "method": scope["method"],
        "path": scope["path"],
        "rpc": rpc,
        "auth": auth,
        "session": "mcp-session-id" in headers,
        "protocol": headers.get("mcp-protocol-version"),
        "accept": headers.get("accept"),
        "last_event_id": headers.get("last-event-id"),
        "user_agent": headers.get("user-agent"),
    }
    with open(options.log, "a") as file:
        file.write(json.dumps(line) + "\n")


def end_with_stdin():
    """A test that dies takes the server with it."""
    while sys.stdin.buffer.raw.read(4096):
        pass
    os._exit(0)


def main():
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
    app = Gate(server.streamable_http_app(json_response=as_json), origin)
    listener.listen()
    # From here on connections queue, so the line is true before the loop runs.
    print(json.dumps({"url": f"{origin}/mcp"}), flush=True)
    threading.Thread(target=end_with_stdin, daemon=True).start()
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1)
    asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))


main()
