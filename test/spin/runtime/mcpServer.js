/** A component as an MCP server: it responds with what it received. */
const respond = async (request) => {
  const received = { target: new URL(request.url).pathname, fields: [...request.headers], body: await request.text() }
  return new Response(JSON.stringify({ jsonrpc: "2.0", id: 1, result: received }), {
    headers: { "content-type": "application/json" }
  })
}

addEventListener("fetch", (event) => event.respondWith(respond(event.request)))
