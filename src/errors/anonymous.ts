const codeOf = (error: Error): string =>
  "code" in error && typeof error.code === "string" ? error.code : error.constructor.name

// A message with line breaks is part of the stack, so only lines in the form of a frame are safe.
const framesOf = ({ stack }: Error): string =>
  (stack ?? "").split("\n").filter((line) => /^ {4}at [^\r]{1,500}$/.test(line)).join("\n")

const maxDepth = 4

/**
 * Copies an error with its stack frames and its code, but without its message and members.
 *
 * Use it for the `cause` of an error about an exchange: messages and members of platform errors may quote what was sent
 * or received, which must not be logged.
 */
export const anonymous = (error: unknown, depth = 0): Error | undefined => {
  if (!(error instanceof Error)) return undefined
  const cause = depth < maxDepth ? anonymous(error.cause, depth + 1) : undefined
  const bare = cause === undefined ? new Error(codeOf(error)) : new Error(codeOf(error), { cause })
  bare.stack = `Error: ${codeOf(error)}\n${framesOf(error)}`
  return bare
}
