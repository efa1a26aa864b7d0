/** A server with a few documents, for tests of providers with unusual URLs. */
import * as Effect from "effect/Effect"
import { serveWebHandler } from "./serve.ts"

/** The response for a path: a JSON document, or any response. */
export type Place = Record<string, unknown> | (() => Response)

/** Serves `places`, which may be changed later, by their paths, and 404 for other paths. Records the requests. */
export const serveDocuments = Effect.fnUntraced(function*(
  makePlaces: (origin: string) => Record<string, Place>
) {
  const asked: Array<string> = []
  let places: Record<string, Place> = {}
  const origin = yield* serveWebHandler(async (request) => {
    const { pathname } = new URL(request.url)
    asked.push(pathname)
    const place = places[pathname]
    if (place === undefined) return Response.json({ error: "not_found" }, { status: 404 })
    return typeof place === "function" ? place() : Response.json(place)
  })
  places = makePlaces(origin)
  return { origin, asked, places }
})
