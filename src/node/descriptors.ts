import { readdirSync, readFileSync } from "node:fs"

/** The number of open descriptors; NaN if the system does not provide it. */
export const openDescriptors = (): number => {
  try {
    // One entry is the directory itself.
    return readdirSync("/proc/self/fd").length - 1
  } catch {
    return Number.NaN
  }
}

/** The limit of open descriptors of this process; NaN if the system does not provide it. */
export const maxDescriptors = (): number => {
  try {
    const [, soft = ""] = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? []
    return soft === "" ? Number.NaN : Number(soft)
  } catch {
    return Number.NaN
  }
}

// For files, listeners and connections to providers.
const reserved = 64

/**
 * How many client connections the descriptors of this process permit. The rest is for connections to MCP servers, of
 * which there may be `upstream`, but at most a quarter, and for files.
 */
export const connectionsPermitted = (descriptors: number, upstream: number): number =>
  Number.isNaN(descriptors)
    ? Number.POSITIVE_INFINITY
    : Math.max(1, descriptors - Math.min(upstream, Math.floor(descriptors / 4)) - reserved)
