"""FastMCP's client: signs in, lists the tools and calls one; waits until its access token is old, and calls again."""

import asyncio
import json
import sys
import webbrowser

from fastmcp import Client
from fastmcp.client.auth import OAuth


def open_in_test(url: str, *_: object, **__: object) -> bool:
    """The user's browser is the one of the test."""
    print(json.dumps({"open": url}), flush=True)
    return True


webbrowser.open = open_in_test


async def main(url: str) -> None:
    oauth = OAuth()
    async with Client(url, auth=oauth) as client:
        tools = [tool.name for tool in await client.list_tools()]
        first = await client.call_tool("whoami", {})
        tokens = await oauth.context.storage.get_tokens()
        print(json.dumps({"called": True}), flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        await asyncio.sleep(tokens.expires_in + 1)
        second = await client.call_tool("echo", {"message": "refreshed"})
        print(json.dumps({
            "tools": tools,
            "whoami": json.loads(first.content[0].text),
            "echo": second.content[0].text,
        }), flush=True)


asyncio.run(main(sys.argv[1]))
