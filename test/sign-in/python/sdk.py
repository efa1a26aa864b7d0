"""The official Python SDK: signs in, lists the tools and calls one; waits until its access token is old, and calls again."""

import asyncio
import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlparse

import mcp
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider, TokenStorage
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken


class Memory(TokenStorage):
    def __init__(self) -> None:
        self.tokens: OAuthToken | None = None
        self.client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


class Callback(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.found = parse_qs(urlparse(self.path).query)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


async def open_url(url: str) -> None:
    print(json.dumps({"open": url}), flush=True)


async def main(url: str) -> None:
    listener = HTTPServer(("127.0.0.1", 0), Callback)
    storage = Memory()

    async def callback() -> AuthorizationCodeResult:
        await asyncio.to_thread(listener.handle_request)
        found = {name: values[0] for name, values in listener.found.items()}
        return AuthorizationCodeResult(code=found.get("code"), state=found.get("state"), iss=found.get("iss"))

    redirect = f"http://127.0.0.1:{listener.server_port}/callback"
    oauth = OAuthClientProvider(
        server_url=url,
        client_metadata=OAuthClientMetadata(
            client_name="Python SDK",
            redirect_uris=[redirect],
            grant_types=["authorization_code", "refresh_token"],
            response_types=["code"],
            token_endpoint_auth_method="none",
        ),
        storage=storage,
        redirect_handler=open_url,
        callback_handler=callback,
    )
    async with create_mcp_http_client(auth=oauth) as http:
        async with mcp.Client(streamable_http_client(url, http_client=http)) as client:
            tools = [tool.name for tool in (await client.list_tools()).tools]
            first = await client.call_tool("whoami", {})
            print(json.dumps({"called": True}), flush=True)
            await asyncio.to_thread(sys.stdin.readline)
            await asyncio.sleep(storage.tokens.expires_in + 1)
            second = await client.call_tool("echo", {"message": "refreshed"})
            print(json.dumps({
                "tools": tools,
                "whoami": json.loads(first.content[0].text),
                "echo": second.content[0].text,
            }), flush=True)


asyncio.run(main(sys.argv[1]))
