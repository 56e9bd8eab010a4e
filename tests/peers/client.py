"""The official Python SDK's client. See report.py for its options; --era modern refuses an older server."""

import asyncio
from contextlib import AsyncExitStack

import httpx2
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp_types import ResourceUpdatedNotification, ToolListChangedNotification
from report import direct, environment, headers, mode, options, run

LOG_LEVEL = "io.modelcontextprotocol/logLevel"


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

        async def elicited(_context, params):
            return heard.elicit(params.message)

        async def sampled(_context, _params):
            return heard.sample()

        async def logged(params):
            heard.log(params.data)

        self.heard = heard
        self.client = Client(
            await self.transport(),
            mode=mode,
            elicitation_callback=elicited,
            sampling_callback=sampled,
            logging_callback=logged,
            message_handler=on_message,
            cache=None,
        )
        await self.stack.enter_async_context(self.client)
        info = self.client.session.server_info
        return {"protocol": self.client.session.protocol_version, "server": info.name if info else None}

    async def transport(self):
        if not direct:
            program, *args = options.command
            return StdioServerParameters(command=program, args=args, env=environment)
        http = await self.stack.enter_async_context(httpx2.AsyncClient(headers=headers, timeout=30))
        return streamable_http_client(options.url, http_client=http)

    def modern(self) -> bool:
        return self.client.session.protocol_version >= "2026"

    async def listen(self):
        if not self.modern():
            return
        subscription = await self.stack.enter_async_context(self.client.listen(tools_list_changed=True))

        async def hear():
            async for _ in subscription:
                self.heard.tools_changed += 1

        task = asyncio.create_task(hear())
        self.stack.callback(task.cancel)

    async def call(self, name, arguments, progress=None, log_level=None):
        meta = {LOG_LEVEL: log_level} if log_level and self.modern() else None
        return await self.client.call_tool(name, arguments, progress_callback=progress, meta=meta)

    async def tools(self) -> list[str]:
        return [tool.name for tool in (await self.client.list_tools()).tools]

    async def resources(self) -> list[str]:
        return [str(resource.uri) for resource in (await self.client.list_resources()).resources]

    async def read(self, uri):
        content = (await self.client.read_resource(uri)).contents[0]
        return str(content.uri), content.text

    async def subscribe(self, uri):
        await self.client.subscribe_resource(uri)

    async def prompts(self) -> list[str]:
        return [prompt.name for prompt in (await self.client.list_prompts()).prompts]

    async def prompt(self, name, arguments) -> str:
        return (await self.client.get_prompt(name, arguments)).messages[0].content.text

    async def set_level(self, level):
        await self.client.set_logging_level(level)

    async def ping(self):
        await self.client.send_ping()

    async def close(self):
        await self.stack.aclose()


run("python", Peer())
