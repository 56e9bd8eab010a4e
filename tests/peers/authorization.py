"""FastMCP's own authorization server, and the FastMCP server that it protects, in one process.

    python authorization.py [--lifetime SECONDS]

Prints {"issuer", "url"}: itself, and the MCP endpoint. Then takes commands, as oidc.mjs does: one JSON object
a line, each answered by one line. Endpoints, registrations, tokens, rotation and revocation are those of
fastmcp and of the official SDK below it; ours are the log, the commands, and which tool needs which scope.
--lifetime: of access tokens.
"""

import argparse
import asyncio
import json
import logging
import os
import socket
import sys
import threading
from urllib.parse import parse_qs, parse_qsl, urlsplit

import uvicorn
from fastmcp import FastMCP
from fastmcp.server.auth.middleware import RequireAuthMiddleware
from fastmcp.server.auth.providers import in_memory
from mcp.server.auth.settings import ClientRegistrationOptions, RevocationOptions
from mcp.shared.auth import OAuthClientInformationFull

SCOPES = ["notes:read", "notes:write"]
HIGHER = {"add_note": "notes:write"}
"""Tool → the scope that it needs beyond the first one, which everything needs."""
SECRET = "p:a+s s%w/o&r=d"
"""Every character that form encoding changes, and Basic's own separator (RFC 6749 section 2.3.1)."""
ROUTES = {
    "/register": "registration",
    "/authorize": "authorization",
    "/token": "token",
    "/revoke": "revocation",
    "/mcp": "mcp",
}

parser = argparse.ArgumentParser()
parser.add_argument("--lifetime", type=int, default=3600)
options = parser.parse_args()

log: list[dict] = []
slow = {"token": 0.0}
"""Route → how long its requests wait before they are looked at, in seconds."""


class Judge:
    """Writes down each request as it came, and what was answered."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        route = ROUTES.get(scope.get("path"))
        if scope["type"] != "http" or route is None:
            return await self.app(scope, receive, send)
        body, receive = await whole(receive) if scope["method"] == "POST" else (b"", receive)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        params = parse(route, scope, body)
        entry = {"route": route, "status": None, "params": params, "answer": {}, "error": None}
        if route == "mcp":
            entry |= {"method": scope["method"], "rpc": params.get("method")}
        else:
            entry |= {"client": params.get("client_id"), "auth": method(headers, params)}
        log.append(entry)
        answer = b""

        async def watched(event):
            nonlocal answer
            if event["type"] == "http.response.start":
                entry["status"] = event["status"]
                sent = {name.decode().lower(): value.decode("latin-1") for name, value in event["headers"]}
                entry["error"] = error(sent)
            elif route != "mcp":
                answer += event.get("body", b"")
                entry["answer"] = json_object(answer)
            await send(event)

        await asyncio.sleep(slow.get(route, 0))
        # The gate is told what it would else have to read again.
        scope["message"] = params if route == "mcp" else {}
        await self.app(scope, receive, watched)


def parse(route, scope, body):
    if scope["method"] == "GET":
        return dict(parse_qsl(scope["query_string"].decode()))
    return json_object(body) if route in ("mcp", "registration") else dict(parse_qsl(body.decode()))


def json_object(text):
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def method(headers, params):
    """How a request authenticates its client."""
    if "authorization" in headers:
        return "basic"
    return "post" if "client_secret" in params else "none"


def error(headers):
    """What a redirect or a challenge complains of."""
    if location := headers.get("location"):
        return parse_qs(urlsplit(location).query).get("error", [None])[0]
    challenge = headers.get("www-authenticate", "")
    return challenge.split('error="')[1].split('"')[0] if 'error="' in challenge else None


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


class Gate:
    """In front of some tools, FastMCP's own check of scopes once more, with one scope more."""

    def __init__(self, guard: RequireAuthMiddleware):
        self.guard = guard
        url = guard.resource_metadata_url
        self.higher = {
            tool: RequireAuthMiddleware(guard.app, [*guard.required_scopes, scope], url, challenge_scopes=[scope])
            for tool, scope in HIGHER.items()
        }

    async def __call__(self, scope, receive, send):
        message = scope.get("message", {})
        tool = message.get("params", {}).get("name") if message.get("method") == "tools/call" else None
        await self.higher.get(tool, self.guard)(scope, receive, send)


def notes(provider) -> FastMCP:
    server = FastMCP("notes", auth=provider)

    @server.tool
    def list_notes() -> str:
        """Lists notes"""
        return "notes"

    @server.tool
    def add_note() -> str:
        """Adds a note"""
        return "added"

    return server


class Commands:
    """What a test may ask for."""

    def __init__(self, provider: in_memory.InMemoryOAuthProvider):
        self.provider = provider
        self.lifetime(options.lifetime)

    def log(self):
        return log

    def introspect(self, token):
        # Looked up and not verified: the provider takes an expired access token for the occasion to revoke
        # the refresh token that belongs to it.
        found = self.provider.access_tokens.get(token) or self.provider.refresh_tokens.get(token)
        return {"active": found is not None, "scope": " ".join(found.scopes) if found else None}

    def delay(self, ms):
        slow["token"] = ms / 1000

    def lifetime(self, seconds):
        in_memory.DEFAULT_ACCESS_TOKEN_EXPIRY_SECONDS = seconds

    def end(self, token):
        """An access token, and nothing else, before its time."""
        del self.provider.access_tokens[token]

    def forget(self, client):
        del self.provider.clients[client]

    def client(self, method, redirect_uri):
        """Registers a client by hand, named like its method."""
        self.provider.clients[method] = OAuthClientInformationFull(
            client_id=method,
            client_secret=None if method == "none" else SECRET,
            redirect_uris=[redirect_uri],
            token_endpoint_auth_method=method,
            grant_types=["authorization_code", "refresh_token"],
            scope=" ".join(SCOPES),
        )


def serve(commands: Commands):
    for line in sys.stdin:
        command = json.loads(line)
        try:
            answer = {"ok": getattr(commands, command.pop("do"))(**command)}
        except Exception as problem:  # noqa: BLE001: told to the test
            answer = {"error": repr(problem)}
        print(json.dumps(answer), flush=True)
    # A test that dies takes the server with it.
    os._exit(0)


def main():
    # Refusals are what this is for, and in the log of ours.
    logging.getLogger("fastmcp").setLevel(logging.ERROR)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
    provider = in_memory.InMemoryOAuthProvider(
        base_url=origin,
        required_scopes=SCOPES[:1],
        client_registration_options=ClientRegistrationOptions(enabled=True, valid_scopes=SCOPES),
        revocation_options=RevocationOptions(enabled=True),
    )
    app = notes(provider).http_app(path="/mcp", stateless_http=True, json_response=True)
    for route in app.routes:
        if route.path == "/mcp":
            route.app = Gate(route.app)
    listener.listen()
    # From here on connections queue, so the line is true before the loop runs.
    print(json.dumps({"issuer": str(provider.issuer_url), "url": f"{origin}/mcp"}), flush=True)
    threading.Thread(target=serve, args=[Commands(provider)], daemon=True).start()
    config = uvicorn.Config(Judge(app), log_level="warning", timeout_graceful_shutdown=1)
    asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))


main()
