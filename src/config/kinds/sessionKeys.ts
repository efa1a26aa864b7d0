import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { type Kind, list, refuse } from "./kinds.ts"
import { leftoverOfSecret } from "./leftovers.ts"

const shortest = 32

const secrets = list(
  "one secret, or two while it is changed",
  /,/,
  (members) =>
    members.length > 2
      ? refuse("has more than two secrets", "Keep the one that is used, and the one before it")
      : members.some((secret) => secret.length < shortest)
      ? refuse(`has a secret of less than ${shortest} characters`, "Make one with: openssl rand -base64 32")
      : Result.succeed(members.map((secret) => Redacted.make(secret))),
  () => undefined,
  leftoverOfSecret
)

/** The secrets of a gateway: the first is used, one behind it is still understood. */
export const sessionKeys: Kind<
  ReadonlyArray<Redacted.Redacted<string>>,
  string | ReadonlyArray<string> | Redacted.Redacted<string>
> = {
  ...secrets,
  fromJson: (value) => secrets.fromJson(Redacted.isRedacted(value) ? Redacted.value(value) : value)
}
