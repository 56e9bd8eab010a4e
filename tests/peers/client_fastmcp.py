"""FastMCP's client. See report.py for its options; --era modern refuses an older server."""

import asyncio
from contextlib import AsyncExitStack

from fastmcp import Client
from fastmcp.client.transports import StdioTransport, StreamableHttpTransport
from mcp.client.subscriptions import listen
from mcp_types import ResourceUpdatedNotification, ToolListChangedNotification
from report import direct, environment, headers, mode, options, run

LOG_LEVEL = "io.modelcontextprotocol/logLevel"


def transport():
    if direct:
        return StreamableHttpTransport(options.url, headers=headers)
    program, *args = options.command
    # Its default would leave the command behind.
    return StdioTransport(program, args, env=environment, keep_alive=False)


class Peer:
    def __init__(self):
        self.stack = AsyncExitStack()

    async def connect(self, heard) -> dict:
        async def on_message(message):
            if isinstance(message, Exception):
                heard.errors.append(repr(message))
            elif isinstance(message, ToolListChangedNotification) and not self.modern():
                heard.tools_changed += 1
            elif isinstance(message, ResourceUpdatedNotification):
                heard.updated.append(str(message.params.uri))

        async def elicited(message, _type, _params, _context):
            return heard.elicit(message)

        async def sampled(_messages, _params, _context):
            return heard.sample()

        async def logged(params):
            heard.log(params.data)

        self.heard = heard
        self.client = Client(
            transport(),
            mode=mode,
            elicitation_handler=elicited,
            sampling_handler=sampled,
            log_handler=logged,
            message_handler=on_message,
        )
        await self.stack.enter_async_context(self.client)
        info = self.client.server_info
        return {"protocol": self.client.protocol_version, "server": info.name if info else None}

    def modern(self) -> bool:
        return self.client.protocol_version >= "2026"

    async def listen(self):
        if not self.modern():
            return
        # Nothing of its own yet.
        subscription = await self.stack.enter_async_context(listen(self.client.session, tools_list_changed=True))

        async def hear():
            async for _ in subscription:
                self.heard.tools_changed += 1

        task = asyncio.create_task(hear())
        self.stack.callback(task.cancel)

    async def call(self, name, arguments, progress=None, log_level=None):
        meta = {LOG_LEVEL: log_level} if log_level and self.modern() else None
        return await self.client.call_tool_mcp(name, arguments, progress_handler=progress, meta=meta)

    async def tools(self) -> list[str]:
        return [tool.name for tool in await self.client.list_tools()]

    async def resources(self) -> list[str]:
        return [str(resource.uri) for resource in await self.client.list_resources()]

    async def read(self, uri):
        content = (await self.client.read_resource(uri))[0]
        return str(content.uri), content.text

    async def subscribe(self, uri):
        await self.client.session.subscribe_resource(uri)

    async def prompts(self) -> list[str]:
        return [prompt.name for prompt in await self.client.list_prompts()]

    async def prompt(self, name, arguments) -> str:
        return (await self.client.get_prompt(name, arguments)).messages[0].content.text

    async def set_level(self, level):
        await self.client.set_logging_level(level)

    async def ping(self):
        await self.client.ping()

    async def close(self):
        await self.stack.aclose()


run("fastmcp", Peer())
