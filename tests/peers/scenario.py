"""What a Python client does, and what must hold; scenario.mjs does the same."""

import asyncio
import time

from mcp_types import CreateMessageResult, ElicitResult, TextContent
from report import check, direct, expect, options, report, streamed

TOOLS = ["add", "ask", "enable_more", "large", "sample", "shout", "slow_count", "wait", "waits"]
# The server spreads its five steps over 900 ms; a proxy that keeps them back delivers them at once.
STREAMED_OVER_SECONDS = 0.05
# How long the SDK waits after it closed stdin before it sends SIGTERM.
SIGTERM_AFTER_SECONDS = 2.0
SOON_SECONDS = 15.0
# Over HTTP some SDKs read no larger event.
SIZE = 300_000 if direct else 1_000_000


async def until(holds, why: str) -> None:
    """Waits until it is so."""
    began = time.monotonic()
    while not await holds():
        expect(time.monotonic() - began < SOON_SECONDS, why)
        await asyncio.sleep(0.02)


class Heard:
    """What the server said unasked."""

    def __init__(self, content: dict, message: str | None):
        self.content, self.message = content, message
        self.elicitation = self.sampling = self.tools_changed = 0
        self.logged: list = []
        self.updated: list[str] = []
        self.errors: list[str] = []

    def elicit(self, message: str) -> ElicitResult:
        self.elicitation += 1
        expect(self.message in (None, message), message)
        return ElicitResult(action="accept", content=self.content)

    def sample(self) -> CreateMessageResult:
        self.sampling += 1
        word = TextContent(type="text", text="word")
        return CreateMessageResult(model="peer-model", role="assistant", content=word)

    def log(self, data) -> None:
        # FastMCP puts it into an object.
        self.logged.append(data.get("msg") if isinstance(data, dict) else data)


async def said(peer, tool: str, arguments=None, **extra) -> str:
    result = await peer.call(tool, arguments or {}, **extra)
    expect(not result.is_error, f"{tool}: {result.content}")
    return result.content[0].text


async def progress_and_another_call(peer) -> None:
    seen: list[tuple[float, float]] = []

    async def on_progress(step, _total, _message):
        seen.append((step, time.monotonic()))

    async with check("parallel"):
        slow = asyncio.create_task(said(peer, "slow_count", **({"progress": on_progress} if streamed else {})))
        await said(peer, "add", {"a": 1, "b": 1})
        expect(not slow.done(), "a slow call held up a fast one")
    async with check("progress"):
        text = await slow
        done = time.monotonic()
        expect(text == "counted to 5", text)
        if streamed:
            expect([step for step, _ in seen] == [1, 2, 3, 4, 5], f"all before the result, in order: {seen}")
            expect(done - seen[0][1] >= STREAMED_OVER_SECONDS, "progress was held back until the result")


async def list_changed(peer, heard: Heard) -> None:
    await peer.listen()
    expect(heard.tools_changed == 0, "before anything changed")
    expect(await said(peer, "enable_more") == "enabled", "enable_more")

    async def changed():
        return heard.tools_changed > 0

    # The notification travels on another stream than the answer.
    await until(changed, "no list_changed")
    expect(heard.tools_changed == 1, f"list_changed came {heard.tools_changed} times")
    expect("more" in await peer.tools(), "the new tool is not listed")
    expect(await said(peer, "more") == "more", "more")


async def cancel(peer) -> None:
    waits = asyncio.create_task(peer.call("wait", {}))

    async def waiting():
        return await said(peer, "waits") == "1 waiting, 0 cancelled"

    async def cancelled():
        return await said(peer, "waits") == "0 waiting, 1 cancelled"

    await until(waiting, "it does not wait")
    waits.cancel()
    await asyncio.wait([waits])
    expect(waits.cancelled(), f"the call was not cancelled: {waits}")
    await until(cancelled, "the server saw no cancellation")


async def logging(peer, heard: Heard) -> None:
    async def loud():
        return "loud" in heard.logged

    for level, expected in [("warning", ["loud"]), ("debug", ["quiet", "loud"])]:
        heard.logged.clear()
        if not peer.modern():
            await peer.set_level(level)
        expect(await said(peer, "shout", log_level=level) == "shouted", "shout")
        await until(loud, "nothing was logged")
        expect(heard.logged == expected, f"{level}: {heard.logged}")


async def ended(peer) -> None:
    """The client's end, which must not need a signal."""
    async with check("close"):
        start = time.monotonic()
        await peer.close()
        signalled = not direct and time.monotonic() - start >= SIGTERM_AFTER_SECONDS
        expect(not signalled, "the command did not end on EOF and had to be signalled")


async def scenario(peer) -> None:
    heard = Heard({"colour": "grün 🌱"}, "Which colour?")
    async with check("connect"):
        report.update(await peer.connect(heard))
    try:
        async with check("list"):
            listed = sorted(await peer.tools())
            expect(listed == TOOLS, str(listed))
        async with check("call"):
            expect(await said(peer, "add", {"a": 2, "b": 3}) == "5", "2 + 3")
        await progress_and_another_call(peer)
        async with check("elicitation"):
            expect(await said(peer, "ask") == "accept: grün 🌱" and heard.elicitation == 1, str(vars(heard)))
        async with check("sampling"):
            expect(await said(peer, "sample") == "peer-model: word" and heard.sampling == 1, str(vars(heard)))
        if "list_changed" not in options.without:
            async with check("list_changed"):
                await list_changed(peer, heard)
        async with check("resources"):
            expect(await peer.resources() == ["peers://greeting"], "resources")
            expect(await peer.read("peers://greeting") == ("peers://greeting", "grün 🌱"), "the resource")
        async with check("prompts"):
            expect(await peer.prompts() == ["greet"], "prompts")
            expect(await peer.prompt("greet", {"name": "Ada"}) == "Hello, Ada", "the prompt")
        async with check("cancel"):
            await cancel(peer)
        async with check("logging"):
            await logging(peer, heard)
        if not peer.modern():
            async with check("ping"):
                await peer.ping()
        async with check("large"):
            text = await said(peer, "large", {"size": SIZE})
            expect(text == "€" * SIZE, f"{len(text)} of {SIZE}")
    finally:
        await ended(peer)
    async with check("quiet"):
        expect(heard.errors == [], str(heard.errors))
