import { assert, describe, it } from "@effect/vitest"
import { ReuseRecord } from "../../../src/node/upstream/ReuseRecord.ts"

describe("whether connections to the MCP server are used again", () => {
  it("they are not for some minutes once the server has closed some in a row, and then they are tried again", () => {
    const record = new ReuseRecord()
    record.closed(1000)
    record.closed(2000)
    assert.isTrue(record.mayReuse(2000))
    record.closed(3000)
    assert.isFalse(record.mayReuse(3000))
    assert.isFalse(record.mayReuse(3000 + 5 * 60_000 - 1))
    assert.isTrue(record.mayReuse(3000 + 5 * 60_000))
  })

  it("they are where most serve again, or where a server that is restarted closes all at once", () => {
    const record = new ReuseRecord()
    for (let second = 0; second < 100; second++) {
      record.closed(second * 1000)
      for (let use = 0; use < 10; use++) record.reused()
      assert.isTrue(record.mayReuse(second * 1000))
    }
    const restarted = new ReuseRecord()
    for (let connection = 0; connection < 100; connection++) restarted.closed(1000 + connection / 10)
    assert.isTrue(restarted.mayReuse(1010))
  })
})
