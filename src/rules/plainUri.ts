/** The URIs that a server may read a URI as. Pure. */
import { Glob } from "./Glob.ts"

const decodeOnce = (text: string): string =>
  text.replace(/(?:%[0-9a-f]{2})+/gi, (encoded) => {
    try {
      return decodeURIComponent(encoded)
    } catch {
      return encoded
    }
  })

/** Servers decode a URI once, and the libraries under some of them decode once more. */
const decode = (text: string): string => decodeOnce(decodeOnce(text))

/** Resolves dot segments (RFC 3986, section 5.2.4), and joins repeated slashes as file systems do. */
const resolvePath = (path: string): string => {
  const segments: Array<string> = []
  const parts = path.split("/")
  for (const [index, segment] of parts.entries()) {
    const isLast = index === parts.length - 1
    if (segment === "..") segments.pop()
    if (segment === ".." || segment === ".") {
      if (isLast) segments.push("")
    } else if (segment !== "" || isLast) {
      segments.push(segment)
    }
  }
  return (path.startsWith("/") ? "/" : "") + segments.join("/")
}

const parts = /^([a-z][a-z0-9+.-]*):(?:\/\/([^/?#]*))?([^?#]*)(.*)$/is

/** `file:/a`, `file:///a` and `file://localhost/a` name the same file (RFC 8089, section 2). */
const plainHost = (scheme: string, authority: string): string => {
  const host = decode(authority).toLowerCase()
  return scheme.toLowerCase() === "file" && host === "localhost" ? "" : host
}

/**
 * Removes what servers do not distinguish: percent-encoding, dot segments, repeated slashes, backslashes, and the case
 * of scheme and host.
 */
export const plainUri = (uri: string): string => {
  // Like the parsers of browsers (WHATWG URL, section 4.4): blanks around the URI, tabs and line breaks are ignored.
  const text = uri.trim().replaceAll(/[\t\n\r]/g, "").replaceAll("\\", "/")
  const found = parts.exec(text)
  if (found === null) return decode(text)
  const [, scheme = "", authority, path = "", rest = ""] = found
  const isAbsolute = authority !== undefined || path.startsWith("/")
  return `${scheme.toLowerCase()}:${isAbsolute ? `//${plainHost(scheme, authority ?? "")}` : ""}${
    resolvePath(decode(path).replaceAll("\\", "/"))
  }${decode(rest)}`
}

/** Removes query and fragment, which many servers ignore. */
export const withoutQuery = (uri: string): string => /^[^?#]*/.exec(uri)?.[0] ?? uri

const plainGlobs = new WeakMap<Glob, Glob>()

/** Converts a pattern to one for plain URIs. */
export const plainGlob = (glob: Glob): Glob => {
  const known = plainGlobs.get(glob)
  if (known !== undefined) return known
  const plain = new Glob(plainUri(glob.pattern))
  plainGlobs.set(glob, plain)
  return plain
}
