"""FastMCP's authentication in front of an answer that is always the same.

It has no MCP server behind it and nothing to forward: what is measured is `JWTVerifier` with the middleware that FastMCP puts
before its own endpoint, in one process of uvicorn. Its arguments: port, issuer, key set, audience, file with the answer.
"""

import sys

import uvicorn
from fastmcp.server.auth.providers.jwt import JWTVerifier
from mcp.server.auth.middleware.bearer_auth import RequireAuthMiddleware
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

port, issuer, jwks_uri, audience, answer_file = sys.argv[1:]

verifier = JWTVerifier(jwks_uri=jwks_uri, issuer=issuer, audience=audience, algorithm="RS256")

with open(answer_file, "rb") as file:
    answer = file.read()


async def respond(scope, receive, send):
    # As any server would, it reads the message first.
    while (await receive()).get("more_body", False):
        pass
    await Response(answer, media_type="application/json")(scope, receive, send)


app = Starlette(
    routes=[Route("/mcp", endpoint=RequireAuthMiddleware(respond, required_scopes=[]), methods=["POST"])],
    middleware=verifier.get_middleware(),
)
uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="error", access_log=False, timeout_keep_alive=75)
