"""A Streamable HTTP MCP server made of the official Python SDK. Its options are those of gate.py."""

import contextlib
from functools import partial

from gate import as_json, serve
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import EmptyResult, SetLevelRequestParams
from tools import add_all, listening, modern

SEVERITY = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"]

server = MCPServer("peers-python", version="1.0.0", log_level="WARNING")
levels: dict[str | None, str] = {}
"""Session id → the level that its client has set. The SDK leaves that to the application."""


def tool(function=None, **more):
    if function is None:
        return partial(tool, **more)
    return server.tool(structured_output=False, **more)(function)


def session(ctx: Context) -> str | None:
    return (ctx.headers or {}).get("mcp-session-id")


async def set_level(ctx, params: SetLevelRequestParams) -> EmptyResult:
    levels[ctx.request.headers.get("mcp-session-id")] = params.level
    return EmptyResult()


async def log(ctx: Context, level: str, data: str) -> None:
    to = ctx.request_id
    if not modern(ctx):
        if SEVERITY.index(level) < SEVERITY.index(levels.get(session(ctx), "debug")):
            return
        if as_json:
            await listening(session(ctx))
            to = None
    await ctx.session.send_log_message(level, data, related_request_id=to)


async def changed(ctx: Context) -> None:
    if modern(ctx):
        await ctx.notify_tools_changed()
    else:
        await ctx.session.send_tool_list_changed()


def opened() -> None:
    """The SDK keeps one tool list for all sessions; the next client is to find what the first one found."""
    with contextlib.suppress(ToolError):
        server.remove_tool("more")


# There is no public way: MCPServer has no logging of its own.
server._lowlevel_server.add_request_handler("logging/setLevel", SetLevelRequestParams, set_level)
add_all(server, Context, tool, session=session, log=log, changed=changed)
serve(server.streamable_http_app(json_response=as_json), opened)
