import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { makeRecorder, type Recorder } from "../../admin/activity/Recorder.ts"
import { AuditLog, AuditReadsMessages, bothOf } from "../../audit/AuditLog.ts"
import { GatewayConfig } from "../../config/GatewayConfig.ts"
import { perConfiguration } from "../../config/perConfiguration.ts"
import { ExchangeObserver } from "../../http/ExchangeObserver.ts"

/** What this process records for the status page; `undefined` without an admin port, so that nothing is recorded. */
export class ActivityRecorder extends Context.Reference<Recorder | undefined>(
  "mcp-authorizer/node/admin/ActivityRecorder",
  { defaultValue: () => undefined }
) {
  /**
   * Records each exchange and each decision, if the settings have an admin port. All generations of a process share it.
   */
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
