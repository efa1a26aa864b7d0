import { assert, describe, it } from "@effect/vitest"
import { type Activity, idleServer, mergeActivities, noActivity } from "../../../src/admin/activity/Activity.ts"
import { binCount, binOf, quantile } from "../../../src/admin/activity/durations.ts"
import { History, slotCount, slotMillis } from "../../../src/admin/activity/History.ts"

const start = 1_796_000_000_000

const activity = (passed: number, rejected = 0, failed = 0, millis = 10): Activity => {
  const durations = [...idleServer.durations]
  durations[binOf(millis)] = passed
  return {
    servers: { wiki: { passed, rejected, failed, durations } },
    providers: {},
    rejections: rejected === 0
      ? {}
      : { "InvalidToken.Expired": { count: rejected, last: { at: start, error: "InvalidToken" } } }
  }
}

const error = (at: number) => ({ at, error: "UpstreamUnavailable" })

const sum = (values: ReadonlyArray<number>) => values.reduce((total, value) => total + value, 0)

describe("the last hour", () => {
  it("has one slot for each ten seconds, with what happened in it", () => {
    const history = new History(start)
    history.sample(activity(30), start + slotMillis)
    history.sample(activity(50, 4), start + 2 * slotMillis)
    const { lastHour, series, sinceStart } = history.traffic(activity(50, 4), ["wiki"], start + 2 * slotMillis)
    assert.deepStrictEqual(series.passed.slice(-3), [0, 30, 20])
    assert.deepStrictEqual(series.rejected.slice(-3), [0, 0, 4])
    assert.lengthOf(series.passed, slotCount)
    assert.deepStrictEqual(lastHour, { passed: 50, rejected: 4, failed: 0 })
    assert.deepStrictEqual(sinceStart, lastHour)
  })

  it("forgets what is older, and keeps the sum since the start", () => {
    const history = new History(start)
    for (let slot = 1; slot <= slotCount + 50; slot++) history.sample(activity(slot), start + slot * slotMillis)
    const now = start + (slotCount + 50) * slotMillis
    const { lastHour, sinceStart } = history.traffic(activity(slotCount + 50), ["wiki"], now)
    assert.strictEqual(lastHour.passed, slotCount)
    assert.strictEqual(sinceStart.passed, slotCount + 50)
  })

  it("counts what happened after the last slot in the sums, not in the series", () => {
    const history = new History(start)
    history.sample(activity(10), start + slotMillis)
    const { lastHour, series } = history.traffic(activity(17), ["wiki"], start + slotMillis + 4_000)
    assert.strictEqual(lastHour.passed, 17)
    assert.strictEqual(sum(series.passed), 10)
  })

  it("leaves slots without samples empty, even for longer than an hour", () => {
    const history = new History(start)
    history.sample(activity(10), start + slotMillis)
    history.sample(activity(20), start + 4 * slotMillis + 1)
    const { series } = history.traffic(activity(20), ["wiki"], start + 4 * slotMillis + 1)
    assert.deepStrictEqual(series.passed.slice(-4), [10, 0, 0, 10])
    history.sample(activity(23), start + 10 * slotCount * slotMillis)
    const after = history.traffic(activity(23), ["wiki"], start + 10 * slotCount * slotMillis)
    assert.strictEqual(after.lastHour.passed, 3)
    assert.strictEqual(after.series.passed.at(-1), 3)
  })

  it("shows no negative number when a process did not reply this time, and loses nothing when it is back", () => {
    const history = new History(start)
    history.sample(activity(100), start + slotMillis)
    history.sample(activity(40), start + 2 * slotMillis)
    const { series } = history.traffic(activity(40), ["wiki"], start + 2 * slotMillis)
    assert.deepStrictEqual(series.passed.slice(-2), [100, 0])
  })

  it("counts requests in a second over the time that was seen, not over a minute that was not", () => {
    const history = new History(start)
    assert.strictEqual(history.traffic(activity(20), ["wiki"], start + slotMillis).perSecond, 2)
    for (let slot = 1; slot <= 12; slot++) history.sample(activity(slot * 30), start + slot * slotMillis)
    assert.strictEqual(history.traffic(activity(360), ["wiki"], start + 12 * slotMillis).perSecond, 3)
  })

  it("adds up servers, and has nothing for one without requests", () => {
    const history = new History(start)
    const both: Activity = {
      ...noActivity,
      servers: { a: { ...idleServer, passed: 2 }, b: { ...idleServer, passed: 5, failed: 1 } }
    }
    history.sample(both, start + slotMillis)
    assert.deepStrictEqual(history.traffic(both, ["a", "b"], start + slotMillis).lastHour, {
      passed: 7,
      rejected: 0,
      failed: 1
    })
    const none = history.traffic(both, ["c"], start + slotMillis)
    assert.deepStrictEqual([none.lastHour.passed, none.p50, none.p95, sum(none.series.passed)], [0, null, null, 0])
  })

  it("counts the reasons of rejections in the hour", () => {
    const history = new History(start)
    history.sample(activity(0, 3), start + slotMillis)
    assert.strictEqual(history.rejections(activity(0, 5), "InvalidToken.Expired"), 5)
    for (let slot = 2; slot <= slotCount + 2; slot++) history.sample(activity(0, 5), start + slot * slotMillis)
    assert.strictEqual(history.rejections(activity(0, 5), "InvalidToken.Expired"), 0)
    assert.strictEqual(history.rejections(noActivity, "RateLimited"), 0)
  })
})

describe("durations", () => {
  it("are known to about a fifth, from a tenth of a millisecond to a minute", () => {
    for (const millis of [0.6, 1, 3, 10, 47, 250, 999, 4_000, 59_000]) {
      const bins = Array.from({ length: binCount }, () => 0)
      bins[binOf(millis)] = 100
      const found = quantile(bins, 0.5) ?? 0
      assert.isTrue(Math.abs(found - millis) / millis < 0.21, `${millis}: ${found}`)
    }
  })

  it("of any size have a bin", () => {
    for (const millis of [-1, 0, Number.NaN, Number.POSITIVE_INFINITY, 1e12]) {
      const bin = binOf(millis)
      assert.isTrue(Number.isInteger(bin) && bin >= 0 && bin < binCount, `${millis}: ${bin}`)
    }
  })

  it("have quantiles in order", () => {
    const bins = Array.from({ length: binCount }, () => 0)
    bins[binOf(10)] = 90
    bins[binOf(1_000)] = 10
    const [half = 0, most = 0] = [quantile(bins, 0.5) ?? 0, quantile(bins, 0.95) ?? 0]
    assert.isTrue(half < 12 && most > 700, `${half} ${most}`)
    assert.isNull(quantile([], 0.5))
  })
})

describe("the activity of several processes", () => {
  it("is the sum, with the latest error of all", () => {
    const merged = mergeActivities([
      {
        servers: { wiki: { ...idleServer, passed: 3, lastResponseAt: 10, lastError: error(5) } },
        providers: { okta: { accepted: 1, rejected: 2, lastAcceptedAt: 9 } },
        rejections: { RateLimited: { count: 2, last: error(7) } }
      },
      {
        servers: { wiki: { ...idleServer, passed: 4, lastResponseAt: 8, lastError: error(6) }, docs: idleServer },
        providers: { okta: { accepted: 5, rejected: 0, lastAcceptedAt: 11 } },
        rejections: { RateLimited: { count: 1, last: error(3) } }
      }
    ])
    assert.deepStrictEqual(merged.servers["wiki"], {
      ...idleServer,
      passed: 7,
      lastResponseAt: 10,
      lastError: error(6)
    })
    assert.deepStrictEqual(merged.servers["docs"], idleServer)
    assert.deepStrictEqual(merged.providers, { okta: { accepted: 6, rejected: 2, lastAcceptedAt: 11 } })
    assert.deepStrictEqual(merged.rejections, { RateLimited: { count: 3, last: error(7) } })
    assert.deepStrictEqual(JSON.parse(JSON.stringify(merged)), merged)
  })
})
