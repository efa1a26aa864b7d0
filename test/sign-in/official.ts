/** The official TypeScript clients, 1.x and 2.x. */
import * as Effect from "effect/Effect"
import { clients as officialClients } from "../clients/clients.ts"
import { HeadlessOAuthClient } from "../support/HeadlessOAuthClient.ts"
import type { Program } from "./signsIn.ts"
import { restartBefore } from "./Site.ts"

const run = (connect: (typeof officialClients)[number][1]): Program =>
  Effect.fnUntraced(
    function*(site) {
      const oauth = new HeadlessOAuthClient(undefined, site.fillIn, restartBefore(site))
      const client = yield* connect(site.gateway.resource, { oauth })
      const tools = yield* client.tools
      const whoami = JSON.parse(yield* client.call("whoami"))
      yield* site.gateway.restart
      // These clients renew a token when it is rejected.
      oauth.saveTokens({ token_type: "Bearer", ...oauth.tokens(), access_token: "spoiled.access.token" })
      const echo = yield* client.call("echo", { message: "refreshed" })
      return { opened: oauth.authorizations, tools, whoami, echo }
    },
    (running) => Effect.orDie(running)
  )

/** Each as a `Program`. */
export const official = officialClients.map(([name, connect]) =>
  [`the official TypeScript ${name}`, run(connect)] as const
)
