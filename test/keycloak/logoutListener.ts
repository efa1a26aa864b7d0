import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { text } from "node:stream/consumers"
import { listen } from "../../src/issuer/LoopbackServer.ts"

/** An application's end of back-channel logout (OpenID Connect Back-Channel Logout 1.0): keeps the token it is sent. */
export const listenForLogout = Effect.gen(function*() {
  const token = yield* Deferred.make<string>()
  const { origin } = yield* listen((request, response) =>
    Effect.promise(async () => {
      const form = new URLSearchParams(await text(request))
      Deferred.doneUnsafe(token, Effect.succeed(form.get("logout_token") ?? ""))
      response.end()
    })
  )
  return { url: `${origin}/logout`, token }
})
