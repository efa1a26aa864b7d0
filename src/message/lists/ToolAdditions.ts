/** The positions for `securitySchemes` in a listed tool. */
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

/** The bytes from `start` to `end` are replaced by the schemes, with these texts before and after them. */
interface Gap {
  readonly start: number
  readonly end: number
  readonly before: Uint8Array
  readonly after: Uint8Array
}

/**
 * Finds the positions in a tool at which to add `securitySchemes`: in the tool itself and in its `_meta`, where some
 * hosts look for them.
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

  /** Takes a token inside the tool. `level` is 0 for the tool's own members, and 1 inside their values. */
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

  /** Ends the tool at `close`. */
  finish(close: number): void {
    if (!this.hasSchemes) this.gap(close, close, nextMember)
    if (!this.hasMeta) this.gap(close, close, metaStart, metaEnd)
  }

  /** Returns the changes to a tool that was read to its end. `shift` is how many bytes later it is now. */
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
