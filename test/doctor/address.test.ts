import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import { examine, type ExamineOptions } from "../../src/doctor/examine.ts"
import type { Finding } from "../../src/doctor/Finding.ts"
import type { Report } from "../../src/doctor/Report.ts"
import { TlsInspector } from "../../src/doctor/wire/TlsInspector.ts"
import { change, goodToken } from "./support/HealthyServer.ts"
import { layerPublic, type PublicMistake, publicUrl } from "./support/publicServer.ts"

const none: PublicMistake = () => undefined

/** Examines the server, and advances the clock as far as needed. */
const run = Effect.fnUntraced(function*(mistake: PublicMistake, options: Partial<ExamineOptions> = {}) {
  const running = examine({ url: publicUrl, totalMillis: 600_000, ...options })
  const fiber = yield* Effect.forkChild(Effect.provide(running, layerPublic(mistake)))
  yield* TestClock.adjust("10 minutes")
  return yield* Fiber.join(fiber)
})

const findings = ({ steps }: Report): ReadonlyArray<Finding> => steps.flatMap((step) => step.findings)
const codes = (report: Report): ReadonlyArray<string> => findings(report).map(({ code }) => code)

const resource = (members: object): PublicMistake => (asked, well) =>
  asked.path.startsWith("/.well-known/oauth-protected-resource") ? change(well, { ...members }) : undefined

const server = (members: object): PublicMistake => (asked, well) =>
  asked.path.startsWith("/.well-known/o") && !asked.path.includes("protected")
    ? change(well, { ...members })
    : undefined

/** Delays the response to the first message. */
const after = (millis: number): PublicMistake => ({ path, rpc }) =>
  path === "/mcp" && rpc === "initialize" ? { _tag: "Delay", millis } : undefined

describe("the doctor at a public address", () => {
  it.effect("finds nothing wrong with a healthy server", () =>
    Effect.gen(function*() {
      const report = yield* run(none, { token: Redacted.make(goodToken) })
      assert.deepStrictEqual(codes(report), [])
      assert.strictEqual(report.verdict, "healthy")
    }))

  it.effect("url-http: rejects http, except on this machine", () =>
    Effect.gen(function*() {
      const report = yield* run(none, { url: new URL("http://mcp.example.com/mcp") })
      assert.include(codes(report), "url-http")
      assert.deepStrictEqual(
        report.clients.filter(({ verdict }) => verdict === "fails").map(({ client }) => client).slice(0, 2),
        ["Claude", "ChatGPT"]
      )
      assert.notInclude(codes(yield* run(none, { url: new URL("http://localhost/mcp") })), "url-http")
    }))

  it.effect.each(
    ["10.1.2.3", "192.168.0.1", "[fd00::1]", "100.64.0.9", "mcp", "mcp.internal", "keycloak.svc.cluster.local"]
  )("address-private: %s is not reachable from the internet", (host) =>
    Effect.gen(function*() {
      assert.include(codes(yield* run(none, { url: new URL(`https://${host}/mcp`) })), "address-private")
    }))

  it.effect.each(["8.8.8.8", "[2606:4700::1111]", "mcp.example.com", "internal.example.com", "172.32.0.1"])(
    "%s is reachable from the internet",
    (host) =>
      Effect.gen(function*() {
        assert.notInclude(codes(yield* run(none, { url: new URL(`https://${host}/mcp`) })), "address-private")
      })
  )

  it.effect.each(
    [
      ["ECONNREFUSED", "unreachable", /nothing listens there/],
      ["ENOTFOUND", "unreachable", /cannot be resolved/],
      ["EPROTO", "unreachable", /does not speak TLS/]
    ] as const
  )("%s: unreachable, and nothing else is examined", ([code, expected, found]) =>
    Effect.gen(function*() {
      const report = yield* run(() => ({ _tag: "Code", code }))
      assert.deepStrictEqual(codes(report), [expected])
      assert.match(findings(report)[0]?.found ?? "", found)
      assert.strictEqual(report.verdict, "unknown")
      assert.isTrue(report.steps.slice(1).every(({ verdict }) => verdict === "skipped"))
    }))

  it.effect.each(
    [
      ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", /intermediate certificates/],
      ["ERR_TLS_CERT_ALTNAME_INVALID", /contains this host name/],
      ["CERT_HAS_EXPIRED", /Renew/],
      ["DEPTH_ZERO_SELF_SIGNED_CERT", /public authority/],
      ["SELF_SIGNED_CERT_IN_CHAIN", /public authority/]
    ] as const
  )("tls-certificate: %s, with its own fix", ([code, fix]) =>
    Effect.gen(function*() {
      const report = yield* run(() => ({ _tag: "Code", code }))
      assert.deepStrictEqual(codes(report), ["tls-certificate"])
      assert.match(findings(report)[0]?.fix ?? "", fix)
      assert.strictEqual(report.verdict, "broken")
    }))

  it.effect.each([[5, true], [13.9, true], [15, false], [-1, false]] as const)(
    "tls-expires: in %s days: %s",
    ([days, isFound]) =>
      Effect.gen(function*() {
        const now = yield* Clock.currentTimeMillis
        const state = { expires: now + days * 86_400_000, issuer: "Test" }
        const report = yield* Effect.provideService(run(none), TlsInspector, () => Effect.succeed(state))
        assert.strictEqual(codes(report).includes("tls-expires"), isFound)
      })
  )

  it.effect("no-response: gives up after 10 seconds, and says so", () =>
    Effect.gen(function*() {
      const report = yield* run(() => ({ _tag: "Delay", millis: 3_600_000 }))
      assert.deepStrictEqual(codes(report), ["no-response"])
      assert.strictEqual(report.verdict, "unknown")
    }))

  it.effect("slow: a first response after 6 seconds, not after 4", () =>
    Effect.gen(function*() {
      assert.include(codes(yield* run(after(6_000))), "slow")
      assert.notInclude(codes(yield* run(after(4_000))), "slow")
    }))

  it.effect("ends when its time is over, with what it has", () =>
    Effect.gen(function*() {
      const report = yield* run(
        ({ path }) => path.includes("resource") ? { _tag: "Delay", millis: 8_000 } : undefined,
        {
          totalMillis: 5_000
        }
      )
      assert.strictEqual(report.verdict, "unknown")
      assert.deepStrictEqual(report.steps.map(({ seen }) => seen === "the time was over").slice(0, 4), [
        false,
        false,
        true,
        true
      ])
      assert.lengthOf(report.steps, 12)
    }))

  it.effect("resource-server-private: a public server may not name an internal authorization server", () =>
    Effect.gen(function*() {
      const report = yield* run(resource({ authorization_servers: ["https://keycloak.internal/realms/mcp"] }))
      assert.include(codes(report), "resource-server-private")
    }))

  it.effect("server-endpoint-private: a public issuer may not have internal endpoints", () =>
    Effect.gen(function*() {
      const report = yield* run(server({ token_endpoint: "https://10.0.0.7/token" }))
      assert.include(codes(report), "server-endpoint-private")
    }))

  it.effect("stream-silent: a stream without a byte for 20 seconds, if it is listened to for longer", () =>
    Effect.gen(function*() {
      const token = Redacted.make(goodToken)
      assert.include(codes(yield* run(none, { token, listenMillis: 30_000 })), "stream-silent")
      assert.notInclude(codes(yield* run(none, { token, listenMillis: 10_000 })), "stream-silent")
    }))
})

describe("what the doctor knows about providers", () => {
  it.effect.each(
    [
      ["https://login.microsoftonline.com/0000/v2.0", "Microsoft Entra ID"],
      ["https://accounts.google.com", "Google"],
      ["https://example.okta.com/oauth2/default", "Okta"],
      ["https://example.eu.auth0.com/", "Auth0"],
      ["https://id.example.com/realms/mcp", "Keycloak"],
      ["https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc", "Amazon Cognito"],
      ["https://github.com/login/oauth", "GitHub"],
      ["https://example.authkit.app", "WorkOS AuthKit"]
    ] as const
  )("%s is %s", ([issuer, name]) =>
    Effect.gen(function*() {
      const report = yield* run((asked, well) => {
        if (asked.path.includes("protected")) return change(well, { authorization_servers: [issuer] })
        return asked.path.includes("/.well-known/")
          ? {
            status: 200,
            body: {
              issuer,
              authorization_endpoint: `${issuer}/authorize`,
              token_endpoint: `${issuer}/token`
            }
          }
          : undefined
      })
      const quirk = findings(report).find(({ code }) => code === "server-quirk")
      assert.match(quirk?.found ?? "", new RegExp(`^${name}: `))
      const registration = findings(report).find(({ code }) => code === "registration-none")
      assert.isAbove(registration?.fix.length ?? 0, 40)
    }))

  it.effect.each([
    "https://login.microsoftonline.com.evil.example/x",
    "https://idp.example",
    "https://notgithub.com/login/oauth"
  ])(
    "%s is no provider that it knows",
    (issuer) =>
      Effect.gen(function*() {
        const report = yield* run(resource({ authorization_servers: [issuer] }))
        assert.notInclude(codes(report), "server-quirk")
      })
  )
})
