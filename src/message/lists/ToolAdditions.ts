/** Where the `securitySchemes` of a listed tool go. */
import { knownName, matchName } from "../json/memberName.ts"
import type { JsonScanner, JsonToken } from "../json/scanJson.ts"
import { joinBytes, type Splice } from "../json/spliceBytes.ts"

const encoder = new TextEncoder()
const colon = encoder.encode(":")
const member = encoder.encode(`"securitySchemes":`)
const nextMember = encoder.encode(`,"securitySchemes":`)
const metaStart = encoder.encode(`,"_meta":{"securitySchemes":`)
const metaEnd = encoder.encode("}")

const schemesName = knownName("securitySchemes")
const metaName = knownName("_meta")

const nothing = new Uint8Array(0)

/** The bytes from `start` to `end` make room for the schemes, with these before and after them. */
interface Gap {
  readonly start: number
  readonly end: number
  readonly before: Uint8Array
  readonly after: Uint8Array
}

/**
 * Follows a tool of a list, to put `securitySchemes` into it and into its `_meta`, where some hosts look for them.
 *
 * An existing value is replaced, because it is the gateway that authorizes callers. An unusual `_meta` (not an object)
 * is kept.
 */
export class ToolAdditions {
  private gaps: Array<Gap> = []
  private place: "Schemes" | "Meta" | "Other" = "Other"
  private nameEnd = 0
  private hasSchemes = false
  private hasMeta = false
  private metaIsOpen = false
  private metaHasMember = false
  private metaHasSchemes = false
  private inSchemesOfMeta = false

  /** Takes a token inside of the tool. `level` is 0 for its own members, and 1 for what stands in their values. */
  take(token: JsonToken, level: number, scanner: JsonScanner, start: number, end: number): void {
    if (token === "Name") return level === 0 ? this.name(scanner, end) : this.nameInValue(scanner, end)
    const isBegun = token === "OpenObject" || token === "OpenArray"
    if (level === 1) {
      if (!this.inSchemesOfMeta || isBegun) return
      this.inSchemesOfMeta = false
      this.replace(end)
      this.metaHasSchemes = true
    } else if (this.place === "Schemes") {
      if (!isBegun) this.replace(end)
    } else if (this.place === "Meta") {
      this.meta(token, start)
    }
  }

  /** The tool ends at `close`. */
  finish(close: number): void {
    if (!this.hasSchemes) this.gap(close, close, nextMember)
    if (!this.hasMeta) this.gap(close, close, metaStart, metaEnd)
  }

  /** What to change in a tool that was read to its end. `shift` is how much later it stands now. */
  splices(schemes: Uint8Array, shift: number): ReadonlyArray<Splice> {
    return this.gaps.map(({ after, before, end, start }) => ({
      start: start + shift,
      end: end + shift,
      insert: joinBytes([before, schemes, after])
    }))
  }

  private name(scanner: JsonScanner, end: number): void {
    this.nameEnd = end
    if (matchName(scanner.bytes, scanner, schemesName) === "Exact") {
      this.place = "Schemes"
      this.hasSchemes = true
    } else if (matchName(scanner.bytes, scanner, metaName) === "Exact") {
      this.place = "Meta"
      this.hasMeta = true
    } else {
      this.place = "Other"
    }
  }

  private nameInValue(scanner: JsonScanner, end: number): void {
    if (!this.metaIsOpen) return
    this.metaHasMember = true
    this.nameEnd = end
    this.inSchemesOfMeta = matchName(scanner.bytes, scanner, schemesName) === "Exact"
  }

  private meta(token: JsonToken, start: number): void {
    if (token === "OpenObject") {
      this.metaIsOpen = true
      this.metaHasMember = false
      this.metaHasSchemes = false
    } else if (token === "CloseObject") {
      this.metaIsOpen = false
      if (!this.metaHasSchemes) this.gap(start, start, this.metaHasMember ? nextMember : member)
    }
  }

  private replace(end: number): void {
    this.gap(this.nameEnd, end, colon)
  }

  private gap(start: number, end: number, before: Uint8Array, after = nothing): void {
    this.gaps.push({ start, end, before, after })
  }
}
