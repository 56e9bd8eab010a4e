"""The tools, the resource and the prompt of the Python peers; they answer as those of tools.mjs."""

import asyncio
import warnings

from gate import as_json, note, stream
from mcp_types import (
    CreateMessageRequest,
    CreateMessageRequestParams,
    ElicitRequest,
    ElicitRequestFormParams,
    InputRequiredResult,
    SamplingMessage,
    TextContent,
)

# Sampling and friends are deprecated in the newest revision; they are what this peer is for.
warnings.filterwarnings("ignore", message=".*deprecated as of.*")

STEPS = 5
STEP_SECONDS = 0.1
LAST_STEP_SECONDS = 0.5  # see tools.mjs
STREAM_WAIT_SECONDS = 15.0
WAIT_SECONDS = 30.0
COLOUR = {"type": "object", "properties": {"colour": {"type": "string"}}, "required": ["colour"]}
STATE = 'a "state" of grün\tand\\dots...'

waits = {"waiting": 0, "cancelled": 0}
"""Of all sessions: how many calls of `wait` there are, and how many were cancelled."""


def modern(ctx) -> bool:
    return ctx.session.protocol_version >= "2026"


async def listening(session: str | None) -> None:
    """Waits for the stream of what belongs to no call; what is sent without one is lost."""
    await asyncio.wait_for(stream(session).wait(), STREAM_WAIT_SECONDS)


def add_all(server, Context, tool, *, session, log, changed):
    """Adds everything to a server, whose handlers get a `Context`.

    tool: its decorator for tools; session(ctx): the session id of a request; log(ctx, level, data): how it logs;
    changed(ctx): how it says that the tools have changed."""

    async def asked(ctx, request, ask, say):
        """What the client answers to a request: in mid-call, or in its next round."""
        if not modern(ctx):
            if not as_json:
                return say(await ask(ctx.request_id))
            # Unrelated, over the GET stream.
            await listening(session(ctx))
            return say(await ask(None))
        answer = (ctx.input_responses or {}).get("it")
        if answer is None:
            return InputRequiredResult(input_requests={"it": request}, request_state=STATE)
        return say(answer) if ctx.request_state == STATE else "the state came back changed"

    @tool
    async def add(a: float, b: float) -> str:
        """Adds two numbers"""
        return f"{a + b:g}"

    @tool
    async def slow_count(ctx: Context) -> str:
        """Counts to 5 and reports progress"""
        for step in range(1, STEPS + 1):
            if not as_json:
                await ctx.report_progress(step, STEPS, f"step {step}")
            await asyncio.sleep(LAST_STEP_SECONDS if step == STEPS else STEP_SECONDS)
        return f"counted to {STEPS}"

    @tool
    async def ask(ctx: Context) -> str | InputRequiredResult:
        """Asks the user for a colour"""
        params = ElicitRequestFormParams(message="Which colour?", requested_schema=COLOUR)
        return await asked(
            ctx,
            ElicitRequest(params=params),
            lambda to: ctx.session.elicit_form("Which colour?", COLOUR, related_request_id=to),
            lambda answer: f"{answer.action}: {(answer.content or {}).get('colour')}",
        )

    @tool
    async def sample(ctx: Context) -> str | InputRequiredResult:
        """Asks the client's model"""
        messages = [SamplingMessage(role="user", content=TextContent(type="text", text="Say a word"))]
        params = CreateMessageRequestParams(messages=messages, max_tokens=16)
        return await asked(
            ctx,
            CreateMessageRequest(params=params),
            lambda to: ctx.session.create_message(messages, max_tokens=16, related_request_id=to),
            lambda answer: f"{answer.model}: {answer.content.text}",
        )

    @tool
    async def enable_more(ctx: Context) -> str:
        """Adds the tool `more`"""
        await listening(session(ctx))

        async def more() -> str:
            """Was not there before"""
            return "more"

        tool(more)
        await changed(ctx)
        return "enabled"

    @tool
    async def wait(ctx: Context) -> str:
        """Waits until it is cancelled"""
        waits["waiting"] += 1
        try:
            await asyncio.sleep(WAIT_SECONDS)
        except asyncio.CancelledError:
            waits["cancelled"] += 1
            note({"event": "cancelled"})
            raise
        finally:
            waits["waiting"] -= 1
        return "waited"

    @tool(name="waits")
    async def what_became_of_them() -> str:
        """What became of the calls of `wait`"""
        return f"{waits['waiting']} waiting, {waits['cancelled']} cancelled"

    @tool
    async def shout(ctx: Context) -> str:
        """Logs something quiet and something loud"""
        await log(ctx, "debug", "quiet")
        await log(ctx, "warning", "loud")
        return "shouted"

    @tool
    async def large(size: int) -> str:
        """So many characters"""
        return "€" * size

    @server.resource("peers://greeting", mime_type="text/plain")
    async def greeting() -> str:
        return "grün 🌱"

    @server.prompt()
    async def greet(name: str) -> str:
        """Greets"""
        return f"Hello, {name}"
