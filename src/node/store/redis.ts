/** The connection to the Redis or Valkey server of `MCP_STORE_URL`. */
import type { RedisClientOptions } from "@redis/client"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Redis from "effect/persistence/Redis"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import type { GatewaySettings } from "../../config/GatewaySettings.ts"
import { type Authorities, readAuthorities } from "../outbound/authorities.ts"

export type StoreSettings = Pick<GatewaySettings, "storePassword"> & { readonly storeUrl: string }

/** The authorities that the connection to a store trusts. Fails with `InvalidConfiguration` for a CA file that is of no use. */
export const storeAuthorities = (storeUrl: string, caFile: string | undefined) =>
  storeUrl.toLowerCase().startsWith("rediss:") ? readAuthorities(caFile) : Effect.succeed(undefined)

const connectMillis = 2_000
const firstConnectMillis = 2_000
const pingMillis = 3_000
// More than two pings: a store that is silent for so long is gone, even if the system considers its connection open.
const silentMillis = 10_000
const longestPauseMillis = 5_000

// Before there are this many commands, no request waits for their replies any more.
const maxCommands = 4_096

/** The address and credentials of the store, without options for reconnecting. */
const optionsOf = (
  { storePassword, storeUrl }: StoreSettings,
  authorities: Authorities | undefined
): RedisClientOptions => {
  const { hostname, pathname, port, protocol, username } = new URL(storeUrl)
  const socket = {
    host: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: port === "" ? 6379 : Number(port),
    connectTimeout: connectMillis,
    socketTimeout: silentMillis,
    // Reconnecting is done below with a new client, because a client that has misread a reply would continue to do so.
    reconnectStrategy: false as const
  }
  return {
    socket: protocol.toLowerCase() === "rediss:"
      ? { ...socket, tls: true, ...(authorities === undefined ? {} : { secureContext: authorities.secureContext }) }
      : socket,
    ...(username === "" ? {} : { username: decodeURIComponent(username) }),
    ...(storePassword === undefined ? {} : { password: Redacted.value(storePassword) }),
    database: Number(pathname.slice(1)),
    pingInterval: pingMillis,
    commandsQueueMaxLength: maxCommands,
    disableOfflineQueue: true,
    disableClientInfo: true,
    maintNotifications: "disabled"
  }
}

const failure = (cause: unknown) => new Redis.RedisError({ cause })

const notConnected = failure(Object.assign(new Error("not connected"), { code: "NOT_CONNECTED" }))

const ignore = () => undefined

/**
 * Makes the `Redis` service of a store, which connects itself, and reconnects whenever the connection ends.
 *
 * It waits until the first connection is established or has failed, for at most two seconds. Without a connection its
 * commands fail at once, so that the gateway starts and serves without its store. Closing the scope closes the
 * connection.
 */
export const makeRedis = Effect.fnUntraced(function*(settings: StoreSettings, authorities: Authorities | undefined) {
  // Programs without a store do not load it.
  const { createClient } = yield* Effect.promise(() => import("@redis/client"))
  const options = optionsOf(settings, authorities)
  const begun = yield* Deferred.make<void>()
  let current: ReturnType<typeof createClient> | undefined
  let reached = false

  /** Connects once, and waits until that is over. */
  const connect = Effect.scoped(Effect.gen(function*() {
    const over = yield* Deferred.make<void>()
    const client = yield* Effect.acquireRelease(
      Effect.sync(() => createClient(options)),
      (client) =>
        Effect.sync(() => {
          current = undefined
          if (client.isOpen) client.destroy()
        })
    )
    client.on("error", () => Deferred.doneUnsafe(over, Effect.void))
    client.on("end", () => Deferred.doneUnsafe(over, Effect.void))
    yield* Effect.tryPromise({ try: () => client.connect(), catch: ignore })
    current = client
    reached = true
    yield* Deferred.succeed(begun, undefined)
    yield* Deferred.await(over)
  }))

  const stayConnected = Effect.gen(function*() {
    let pause = 0
    while (true) {
      reached = false
      yield* Effect.ignore(connect)
      // A store that is down delays no start.
      yield* Deferred.succeed(begun, undefined)
      pause = reached ? 50 : Math.min(Math.max(50, pause * 2), longestPauseMillis)
      // Not all replicas at the same time.
      yield* Effect.sleep(pause * (yield* Random.next) + pause)
    }
  })
  yield* Effect.forkScoped(stayConnected)
  // So that the first requests do not miss the connection by a millisecond.
  yield* Effect.timeoutOption(Deferred.await(begun), firstConnectMillis)

  const send = <A>(command: string, ...args: ReadonlyArray<string>): Effect.Effect<A, Redis.RedisError> =>
    Effect.suspend(() => {
      const client = current
      return client === undefined
        ? Effect.fail(notConnected)
        // The caller declares the type of the reply, and checks it.
        : Effect.tryPromise({ try: () => client.sendCommand([command, ...args]) as Promise<A>, catch: failure })
    })

  return yield* Redis.make({
    send,
    // Nothing here blocks or subscribes.
    connect: Effect.fail(notConnected),
    subscribe: () => Effect.fail(notConnected)
  })
})
