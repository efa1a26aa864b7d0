/** Keeps two configurations in one program from sharing services. */
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Layer from "effect/Layer"
import type { GatewaySettings } from "./GatewaySettings.ts"

/**
 * A layer that is built separately in each place where it is provided.
 *
 * Effect builds a layer once for a whole program, by reference. Without this, the second of two servers with different
 * configurations would get the services of the first, and accept its callers. Use it for every layer whose service
 * depends on `GatewayConfig`, directly or through another service.
 */
export const perConfiguration: <A, E, R>(layer: Layer.Layer<A, E, R>) => Layer.Layer<A, E, R> = Layer.fresh

/** The settings that determine what a service does, and whom it serves. */
type Decisive = Partial<Pick<GatewaySettings, "gatewayUrl" | "providers">>

const builtFrom = new WeakMap<object, Decisive>()

export const noteSettings = <S extends object>(service: S, settings: Decisive): S => {
  builtFrom.set(service, settings)
  return service
}

/** Records that a service uses another one, so that both belong to the same configuration. */
export const noteBuiltOn = <S extends object>(service: S, other: object): S => {
  const settings = builtFrom.get(other)
  return settings === undefined ? service : noteSettings(service, settings)
}

const describesOther = (service: object, { gatewayUrl, providers }: Required<Decisive>): boolean => {
  const own = builtFrom.get(service)
  return own !== undefined && (
    (own.gatewayUrl !== undefined && own.gatewayUrl !== gatewayUrl) ||
    (own.providers !== undefined && !Equal.equals(own.providers, providers))
  )
}

/**
 * Dies if a service was built from another configuration than the one it is used with.
 *
 * This happens if a program composes layers and provides the composition with two configurations: Effect builds it
 * once, for the first of them.
 *
 * @param services the services, by their names in the message
 */
export const requireOwnServices = (
  settings: Required<Decisive>,
  services: Readonly<Record<string, object>>
): Effect.Effect<void> => {
  const names = Object.entries(services).filter(([, service]) => describesOther(service, settings)).map(([name]) =>
    name
  )
  return names.length === 0 ? Effect.void : Effect.die(
    new Error(
      `${
        names.join(" and ")
      } was built from another GatewayConfig. A layer is built once for a whole program: make the ` +
        "one that is provided with several configurations by a function, or wrap it in Layer.fresh."
    )
  )
}
