/** An Ory Hydra with its data in memory, and the application that signs its one user in. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { spawn } from "node:child_process"
import { randomUUID } from "node:crypto"
import { env } from "node:process"
import { inject } from "vitest"
import { listen } from "../../src/issuer/LoopbackServer.ts"
import { reservePort } from "../support/reservePort.ts"

type Json = Readonly<Record<string, unknown>>

export interface Hydra {
  /** `http://127.0.0.1:<port>`, without a slash. */
  readonly issuer: string
  readonly introspectionEndpoint: string
  /** Creates a client as an operator does. */
  readonly createClient: (client: Json) => Effect.Effect<void>
  /** Adds a key, which signs access tokens from now on. */
  readonly addKey: Effect.Effect<void>
  /** The parameters of the requests for authorization that the user consented to. */
  readonly requests: ReadonlyArray<URLSearchParams>
}

export const hydraUser = "hydra-user"

const send = async (url: string, method: string, body?: Json): Promise<Json> => {
  const response = await fetch(url, {
    method,
    headers: { "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) })
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${text}`)
  return text === "" ? {} : JSON.parse(text)
}

/** The form of access tokens. */
export type Strategy = "opaque" | "jwt"

interface Options {
  readonly strategy: Strategy
  /** The `aud` that the consent application grants to clients that may have it: Hydra has no RFC 8707. */
  readonly audience: string
  /** In seconds; an hour unless given. */
  readonly accessTokenLife?: number
}

/** Starts it, and waits until it listens; its process does not outlive the scope. */
export const startHydra = Effect.fnUntraced(function*(
  { accessTokenLife = 3600, audience, strategy }: Options
): Effect.fn.Return<Hydra, never, Scope.Scope> {
  const [publicPort, adminPort] = [yield* reservePort, yield* reservePort]
  const issuer = `http://127.0.0.1:${publicPort}`
  const admin = `http://127.0.0.1:${adminPort}/admin`
  const requests: Array<URLSearchParams> = []

  // Hydra rejects the whole sign-in for an audience that the client must not have.
  const granted = (request: Json): ReadonlyArray<string> => {
    const { client } = request
    const allowed: unknown = typeof client === "object" && client !== null && "audience" in client
      ? client.audience
      : []
    return Array.isArray(allowed) && allowed.includes(audience) ? [audience] : []
  }

  const accept = async (kind: "login" | "consent", url: URL): Promise<string> => {
    const query = `${kind}_challenge=${encodeURIComponent(url.searchParams.get(`${kind}_challenge`) ?? "")}`
    const place = `${admin}/oauth2/auth/requests/${kind}`
    const request = await send(`${place}?${query}`, "GET")
    if (kind === "consent") requests.push(new URL(String(request["request_url"])).searchParams)
    const { redirect_to: location } = await send(
      `${place}/accept?${query}`,
      "PUT",
      kind === "login"
        ? { subject: hydraUser }
        : { grant_scope: request["requested_scope"], grant_access_token_audience: granted(request) }
    )
    return String(location)
  }
  const { origin: pages } = yield* listen((request, response) =>
    Effect.promise(async () => {
      const url = new URL(request.url ?? "/", "http://127.0.0.1")
      const location = await accept(url.pathname === "/login" ? "login" : "consent", url)
      response.writeHead(302, { location }).end()
    })
  )

  const ended = { now: false }
  const output: Array<string> = []
  yield* Effect.acquireRelease(
    Effect.sync(() => {
      const child = spawn(inject("hydra"), ["serve", "all", "--dev"], {
        stdio: ["ignore", "pipe", "pipe"],
        env: {
          PATH: env["PATH"],
          HOME: env["HOME"],
          DSN: "memory",
          SECRETS_SYSTEM: randomUUID(),
          SERVE_PUBLIC_HOST: "127.0.0.1",
          SERVE_PUBLIC_PORT: String(publicPort),
          SERVE_ADMIN_HOST: "127.0.0.1",
          SERVE_ADMIN_PORT: String(adminPort),
          URLS_SELF_ISSUER: issuer,
          URLS_LOGIN: `${pages}/login`,
          URLS_CONSENT: `${pages}/consent`,
          STRATEGIES_ACCESS_TOKEN: strategy,
          TTL_ACCESS_TOKEN: `${accessTokenLife}s`,
          OIDC_DYNAMIC_CLIENT_REGISTRATION_ENABLED: "true",
          WEBFINGER_OIDC_DISCOVERY_CLIENT_REGISTRATION_URL: `${issuer}/oauth2/register`,
          SQA_OPT_OUT: "true"
        }
      })
      child.on("exit", () => {
        ended.now = true
      })
      for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => output.push(String(chunk)))
      return child
    }),
    (child) =>
      Effect.callback<void>((resume) => {
        if (ended.now) return resume(Effect.void)
        child.once("exit", () => resume(Effect.void))
        child.kill("SIGKILL")
      })
  )
  const isUp = Effect.promise(() => fetch(`${issuer}/health/ready`).then(({ ok }) => ok, () => false))
  while (!(yield* isUp)) {
    if (ended.now) return yield* Effect.die(new Error(`Hydra has ended:\n${output.join("")}`))
    yield* Effect.sleep(200)
  }
  // Hydra generates its keys at the first request for them, and once for each of several at a time. Of these it signs with the newest,
  // but names in refreshed tokens the one of the sign-in (ory/hydra#3573), so that a key that comes late spoils them.
  yield* Effect.promise(async () => void await send(`${issuer}/.well-known/jwks.json`, "GET"))
  return {
    issuer,
    introspectionEndpoint: `${admin}/oauth2/introspect`,
    createClient: (client) => Effect.promise(() => send(`${admin}/clients`, "POST", client)),
    addKey: Effect.promise(async () =>
      void await send(`${admin}/keys/hydra.jwt.access-token`, "POST", { alg: "RS256", use: "sig", kid: randomUUID() })
    ),
    requests
  }
})
