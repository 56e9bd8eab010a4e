"""A Streamable HTTP MCP server made of FastMCP. Its options are those of gate.py.

It serves no `subscriptions/listen`, so modern clients do not hear of changes."""

import contextlib
from functools import partial

from fastmcp import Context, FastMCP
from fastmcp.exceptions import NotFoundError
from fastmcp.server.dependencies import get_http_headers
from gate import as_json, serve
from tools import add_all

server = FastMCP("peers-fastmcp", version="1.0.0")


def tool(function=None, **more):
    if function is None:
        return partial(tool, **more)
    return server.tool(output_schema=None, **more)(function)


def session(_ctx: Context) -> str | None:
    return get_http_headers(include_all=True).get("mcp-session-id")


async def log(ctx: Context, level: str, data: str) -> None:
    await ctx.log(data, level)


async def changed(ctx: Context) -> None:
    await ctx.session.send_tool_list_changed()


def opened() -> None:
    """One tool list for all sessions; the next client is to find what the first one found."""
    with contextlib.suppress(NotFoundError, KeyError):
        server.local_provider.remove_tool("more")


add_all(server, Context, tool, session=session, log=log, changed=changed)
serve(server.http_app(path="/mcp", json_response=as_json), opened)
