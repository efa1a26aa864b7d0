// V8 has it, and others may ignore it; the standard does not know it.
const limits = Error as { stackTraceLimit?: number | undefined }

/**
 * Makes an error that has no stack trace.
 *
 * For refusals, of which anybody can provoke as many as they like: nobody reads the traces, and taking one costs as much
 * as half a signature.
 */
export const withoutStack = <E extends Error>(make: () => E): E => {
  const { stackTraceLimit } = limits
  limits.stackTraceLimit = 0
  try {
    return make()
  } finally {
    limits.stackTraceLimit = stackTraceLimit
  }
}
