/** A component that only forwards: what the engine and the host take by themselves. */
const forward = async (request) => {
  const { searchParams } = new URL(request.url)
  const body = await request.arrayBuffer()
  const answer = await fetch(searchParams.get("to"), {
    method: "POST",
    body,
    headers: { "content-type": "application/json" }
  })
  return new Response(answer.body, { status: answer.status, headers: answer.headers })
}

addEventListener("fetch", (event) => event.respondWith(forward(event.request)))
