import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { makeRecorder, type Recorder } from "../../admin/activity/Recorder.ts"
import { AuditLog, AuditReadsMessages, bothOf } from "../../audit/AuditLog.ts"
import { GatewayConfig } from "../../config/GatewayConfig.ts"
import { perConfiguration } from "../../config/perConfiguration.ts"
import { ExchangeObserver } from "../../http/ExchangeObserver.ts"

/** What this process notes for the status page; `undefined` without an admin port, where it notes nothing. */
export class ActivityRecorder extends Context.Reference<Recorder | undefined>(
  "mcp-authorizer/node/admin/ActivityRecorder",
  { defaultValue: () => undefined }
) {
  /** Notes each exchange and each decision, if the settings have an admin port. One for all generations of a process. */
  static readonly layer: Layer.Layer<never, never, GatewayConfig> = perConfiguration(
    Layer.effectContext(Effect.gen(function*() {
      const { adminPort } = yield* GatewayConfig
      const own = yield* AuditLog
      if (adminPort === undefined) return Context.make(ActivityRecorder, undefined)
      const recorder = makeRecorder()
      return Context.make(ActivityRecorder, recorder).pipe(
        Context.add(ExchangeObserver, recorder.observe),
        Context.add(AuditLog, bothOf(recorder.write, own)),
        Context.add(AuditReadsMessages, own !== undefined)
      )
    }))
  )
}
