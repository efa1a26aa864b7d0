import * as Effect from "effect/Effect"
import type { Perform } from "./course/perform.ts"
import type { Next, ReadBody, Ready, Respond } from "./course/steps.ts"

/**
 * The driver that runs effects, for `HttpApp` and for servers that embed the gateway. It carries out the steps of the
 * course until this part of the course is complete.
 *
 * @param read carries out the step that reads the body
 */
export const drive = Effect.fnUntraced(function*<A, R>(
  perform: Perform,
  read: (step: ReadBody<A>) => Effect.Effect<Next<A>, never, R>,
  first: Next<A>
): Effect.fn.Return<Respond | Ready<A>, never, R> {
  let next = first
  while (true) {
    switch (next._tag) {
      case "Respond":
      case "Ready":
        return next
      case "ReadBody":
        next = yield* read(next)
        break
      case "Verify":
      case "OpenSession":
      case "CountMessages":
      case "AuthorizeUpstream":
      case "Document":
      case "Readiness":
      case "Facade":
        next = yield* perform.step(next)
        break
      default:
        return next satisfies never
    }
  }
})
