/** A component that only forwards: what the engine and the host take by themselves. */
const forward = async (request) => {
  const { searchParams } = new URL(request.url)
  const body = await request.arrayBuffer()
  const response = await fetch(searchParams.get("to"), {
    method: "POST",
    body,
    headers: { "content-type": "application/json" }
  })
  return new Response(response.body, { status: response.status, headers: response.headers })
}

addEventListener("fetch", (event) => event.respondWith(forward(event.request)))
