/** Operations in the form that the log and the audit log show. Pure. */
import { shownText, withoutCredential } from "../audit/shown.ts"
import type { Operation } from "../message/operation.ts"

/** The method of a message, and the subject of the message under the name of its kind. */
export interface ShownOperation {
  readonly method?: string
  readonly tool?: string
  readonly prompt?: string
  readonly resource?: string
}

const withoutQuery = (uri: string): string => /^[^?#]*/.exec(uri)?.[0] ?? ""

/**
 * The operation of a message, with texts truncated and control characters removed.
 *
 * @param authorization the value of the request's `Authorization` field, which is removed from the texts
 */
export const shownOperation = ({ method, subject }: Operation, authorization: string | undefined): ShownOperation => {
  const shown = (text: string) => shownText(withoutCredential(text, authorization))
  if (subject === undefined) return { method: shown(method) }
  const name = subject.kind === "resource" ? withoutQuery(subject.name) : subject.name
  return { method: shown(method), [subject.kind]: shown(name) }
}

const maxNames = 8

const joined = (names: ReadonlyArray<string | undefined>): string | undefined => {
  const different = [...new Set(names.filter((name) => name !== undefined))]
  if (different.length === 0) return undefined
  return different.slice(0, maxNames).join(", ") + (different.length > maxNames ? ", …" : "")
}

/** The operations of a request; of a batch, the first few different ones. */
export const shownOperations = (
  operations: ReadonlyArray<Operation>,
  authorization: string | undefined
): ShownOperation => {
  const [first, ...more] = operations.map((operation) => shownOperation(operation, authorization))
  if (first === undefined || more.length === 0) return first ?? {}
  const all = [first, ...more]
  const names = (["method", "tool", "prompt", "resource"] as const).map((kind) =>
    [kind, joined(all.map((shown) => shown[kind]))] as const
  )
  return Object.fromEntries(names.filter(([, name]) => name !== undefined))
}
