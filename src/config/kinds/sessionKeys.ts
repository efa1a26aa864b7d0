import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { invalid, type Kind, makeKind } from "./kind.ts"
import { hidden, listForms, RedactedText } from "./kinds.ts"
import { leftoverOfSecret } from "./leftovers.ts"

const shortest = 32

const secrets = listForms<ReadonlyArray<Redacted.Redacted<string>>>({
  label: "one secret, or two while it is changed",
  separator: /,/,
  parse: (members) =>
    members.length > 2
      ? invalid("has more than two secrets", "Keep the one that is used, and the one before it")
      : members.some((secret) => secret.length < shortest)
      ? invalid(`has a secret of less than ${shortest} characters`, "Make one with: openssl rand -base64 32")
      : Result.succeed(members.map((secret) => Redacted.make(secret))),
  find: leftoverOfSecret
})

type Input = string | ReadonlyArray<string> | Redacted.Redacted<string>

/** The secrets of a gateway. The first is used; a second one is still accepted. */
export const sessionKeys: Kind<ReadonlyArray<Redacted.Redacted<string>>, Input> = makeKind<
  ReadonlyArray<Redacted.Redacted<string>>,
  Input
>({
  ...secrets,
  input: Schema.Union([secrets.input, RedactedText]),
  file: secrets.input,
  fromJson: (value) => secrets.fromJson(Redacted.isRedacted(value) ? Redacted.value(value) : value),
  show: () => hidden
})
