import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { monitorEventLoopDelay, performance } from "node:perf_hooks"
import { observeCounter, observeGauge } from "../../metrics/observe.ts"
import { version } from "../../version.ts"
import { maxDescriptors, openDescriptors } from "../descriptors.ts"

/** The period of one measurement of the event loop, in milliseconds. */
const windowMillis = 10_000

/** The resolution of its delay, in milliseconds. */
const resolutionMillis = 20

/** Subtracts the interval of the monitor's own timer, which the histogram includes even if nothing is delayed. */
const seconds = (nanos: number): number => Math.max(0, nanos / 1e9 - resolutionMillis / 1000)

/** Measures the event loop: returns the last complete window, or the first one while it is incomplete. */
const watchEventLoop = Effect.acquireRelease(
  Effect.sync(() => {
    const delay = monitorEventLoopDelay({ resolution: resolutionMillis })
    delay.enable()
    let since = performance.eventLoopUtilization()
    const take = () => {
      const isEmpty = delay.count === 0
      return {
        p99: isEmpty ? 0 : seconds(delay.percentile(99)),
        max: isEmpty ? 0 : seconds(delay.max),
        utilization: performance.eventLoopUtilization(since).utilization
      }
    }
    let last: ReturnType<typeof take> | undefined
    // @effect-diagnostics-next-line globalTimersInEffect:off - it must not keep the process alive, nor wait for a fiber.
    const timer = setInterval(() => {
      last = take()
      delay.reset()
      since = performance.eventLoopUtilization()
    }, windowMillis)
    timer.unref()
    return {
      now: () => last ?? take(),
      stop: () => {
        clearInterval(timer)
        delay.disable()
      }
    }
  }),
  ({ stop }) => Effect.sync(stop)
)

const cpuSeconds = (): number => {
  const { system, user } = process.cpuUsage()
  return (system + user) / 1e6
}

/** Measures this process while the layer is alive. */
export const layerProcessMetrics: Layer.Layer<never> = Layer.effectDiscard(Effect.gen(function*() {
  const loop = yield* watchEventLoop
  const most = maxDescriptors()
  const startedAt = performance.timeOrigin / 1000
  yield* observeCounter("process.cpu.time", {}, cpuSeconds)
  yield* observeGauge("process.memory.usage", {}, () => process.memoryUsage.rss())
  yield* observeGauge("v8js.memory.heap.used", {}, () => process.memoryUsage().heapUsed)
  yield* observeGauge("process.open_file_descriptor.count", {}, openDescriptors)
  yield* observeGauge("process.open_file_descriptor.limit", {}, () => most)
  yield* observeGauge("process.open_file_descriptor.utilization", {}, () => openDescriptors() / most)
  yield* observeGauge("nodejs.eventloop.delay.p99", {}, () => loop.now().p99)
  yield* observeGauge("nodejs.eventloop.delay.max", {}, () => loop.now().max)
  yield* observeGauge("nodejs.eventloop.utilization", {}, () => loop.now().utilization)
  yield* observeGauge("process.start_time", {}, () => startedAt)
  yield* observeGauge("mcp_authorizer.processes", {}, () => 1)
  yield* observeGauge("mcp_authorizer.build.info", { version }, () => 1)
}))
