"""What a Python client does with `@modelcontextprotocol/server-everything`; everything.mjs does the same."""

import asyncio

from report import check, expect, report
from scenario import Heard, ended, until

TOOLS = {
    "echo",
    "get-sum",
    "trigger-elicitation-request",
    "trigger-long-running-operation",
    "trigger-sampling-request",
}
RESOURCE = "demo://resource/dynamic/text/1"
OPERATION = "trigger-long-running-operation"


async def said(peer, tool: str, arguments=None, **extra) -> str:
    result = await peer.call(tool, arguments or {}, **extra)
    expect(not result.is_error, f"{tool}: {result.content}")
    return "\n".join(part.text for part in result.content if part.type == "text")


async def parallel(peer) -> None:
    order: list[str] = []

    async def call(tool, arguments):
        await said(peer, tool, arguments)
        order.append(tool)

    slow = asyncio.create_task(call(OPERATION, {"duration": 0.5, "steps": 1}))
    await call("echo", {"message": "x"})
    await slow
    expect(order == ["echo", OPERATION], str(order))


async def cancel(peer) -> None:
    steps: list[float] = []

    async def on_progress(step, _total, _message):
        steps.append(step)

    async def begun():
        return bool(steps)

    call = asyncio.create_task(peer.call(OPERATION, {"duration": 30, "steps": 300}, progress=on_progress))
    await until(begun, "it does not begin")
    call.cancel()
    await asyncio.wait([call])
    expect(call.cancelled(), f"the call was not cancelled: {call}")


async def everything(peer) -> None:
    heard = Heard({"name": "Ada 🌱"}, None)
    async with check("connect"):
        report.update(await peer.connect(heard))
    try:
        async with check("list"):
            listed = set(await peer.tools())
            expect(TOOLS <= listed, str(listed))
        async with check("call"):
            expect(await said(peer, "echo", {"message": "grün 🌱"}) == "Echo: grün 🌱", "echo")
            expect("5" in await said(peer, "get-sum", {"a": 2, "b": 3}), "2 + 3")
        async with check("progress"):
            seen: list[float] = []

            async def on_progress(step, _total, _message):
                seen.append(step)

            await said(peer, OPERATION, {"duration": 0.5, "steps": 5}, progress=on_progress)
            expect(seen == [1, 2, 3, 4, 5], str(seen))
        async with check("parallel"):
            await parallel(peer)
        async with check("elicitation"):
            expect("- Name: Ada 🌱" in await said(peer, "trigger-elicitation-request"), "the name")
        async with check("sampling"):
            expect("word" in await said(peer, "trigger-sampling-request", {"prompt": "Say a word"}), "the word")
        async with check("resources"):
            expect(await peer.resources() != [], "resources")
            expect((await peer.read(RESOURCE))[0] == RESOURCE, "the resource")
        async with check("subscribe"):
            await peer.subscribe(RESOURCE)
            await said(peer, "toggle-subscriber-updates")

            async def updated():
                return RESOURCE in heard.updated

            await until(updated, "the resource was never updated")
            await said(peer, "toggle-subscriber-updates")
        async with check("prompts"):
            expect(await peer.prompt("args-prompt", {"city": "Bremen"}) == "What's weather in Bremen?", "the prompt")
        async with check("cancel"):
            await cancel(peer)
        async with check("logging"):
            await peer.set_level("debug")
            await said(peer, "toggle-simulated-logging")

            async def logged():
                return any("level" in str(data).lower() for data in heard.logged)

            await until(logged, "nothing was logged")
            await said(peer, "toggle-simulated-logging")
        async with check("ping"):
            await peer.ping()
    finally:
        await ended(peer)
    async with check("quiet"):
        expect(heard.errors == [], str(heard.errors))
