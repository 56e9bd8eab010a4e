"""What stands before a Python peer, as gate.mjs does before a TypeScript one: the same options, first line and log."""

import argparse
import asyncio
import json
import os
import socket
import sys
import threading
import time
from pathlib import Path

import uvicorn
from mcp.server import streamable_http_manager as manager

METADATA = "/.well-known/oauth-protected-resource/mcp"
VERSION = b"mcp-protocol-version"
HANDSHAKE = {version.encode() for version in manager.HANDSHAKE_PROTOCOL_VERSIONS}

parser = argparse.ArgumentParser()
parser.add_argument("--token", action="append", default=[])
parser.add_argument("--token-file", type=Path)
parser.add_argument("--issuer")
parser.add_argument("--log")
parser.add_argument("--answers", choices=["sse", "json"], default="sse")
parser.add_argument("--era", choices=["legacy", "dual", "modern"], default="legacy")
options = parser.parse_args()
as_json = options.answers == "json"

streams: dict[str | None, asyncio.Event] = {}
"""Session id → set once the session's GET stream is open; none → once a modern client listens."""


def stream(session: str | None) -> asyncio.Event:
    return streams.setdefault(session, asyncio.Event())


def note(entry: dict) -> None:
    """One line in the log: a request, or something that happened in a tool."""
    if options.log is not None:
        with open(options.log, "a") as file:
            file.write(json.dumps({"at": int(time.time() * 1000), **entry}) + "\n")


def tokens() -> list[str]:
    if options.token_file is None:
        return options.token
    return options.token + [line for line in options.token_file.read_text().splitlines() if line]


class Gate:
    """The bearer check and the log, in front of the SDK's own application."""

    def __init__(self, app, origin: str, opened):
        self.app, self.origin, self.opened = app, origin, opened

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        header = headers.get("authorization")
        auth = "missing" if not header else "ok" if header in {f"Bearer {t}" for t in tokens()} else "wrong"
        body, receive = await whole(receive) if scope["method"] == "POST" else (b"", receive)
        rpc = json.loads(body).get("method") if body else None
        note(entry(scope, headers, auth, rpc))
        if options.issuer and scope["path"] == METADATA:
            return await reply(send, 200, {"resource": f"{self.origin}/mcp", "authorization_servers": [options.issuer]})
        if auth != "ok":
            return await reply(send, 401, {"error": auth}, [(b"www-authenticate", self.challenge(auth).encode())])
        if rpc == "initialize":
            self.opened()
        session = headers.get("mcp-session-id")
        if rpc == "subscriptions/listen" or (scope["method"] == "GET" and session):
            # The SDK registers the stream before it writes the headers.
            send = after_start(send, stream(session))
        await self.app(in_era(scope), receive, send)

    def challenge(self, auth: str) -> str:
        parameters = ['realm="peers"']
        if auth == "wrong":
            parameters.append('error="invalid_token"')
        if options.issuer:
            parameters.append(f'resource_metadata="{self.origin}{METADATA}"')
        return "Bearer " + ", ".join(parameters)


def in_era(scope):
    """The SDK serves both eras, and chooses by the header: it sees none of the other one."""
    headers = scope["headers"]
    if options.era == "legacy":
        # As if it had never heard of such a version.
        headers = [(name, value) for name, value in headers if name != VERSION or value in HANDSHAKE]
    elif options.era == "modern" and VERSION not in dict(headers):
        # What a request without the header means (2025-06-18, Protocol Version Header).
        headers = [*headers, (VERSION, b"2025-03-26")]
    return {**scope, "headers": headers}


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


def entry(scope, headers, auth, rpc) -> dict:
    return {
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


def end_with_stdin():
    """A test that dies takes the server with it."""
    while sys.stdin.buffer.raw.read(4096):
        pass
    os._exit(0)


def serve(app, opened):
    """Serves the application until stdin ends. `opened`: called when a client initializes."""
    if options.era == "modern":
        manager.HANDSHAKE_PROTOCOL_VERSIONS = frozenset()
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
    listener.listen()
    # From here on connections queue, so the line is true before the loop runs.
    print(json.dumps({"url": f"{origin}/mcp"}), flush=True)
    threading.Thread(target=end_with_stdin, daemon=True).start()
    config = uvicorn.Config(Gate(app, origin, opened), log_level="warning", timeout_graceful_shutdown=1)
    asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))
