/** Returns the code of a system error, such as `EADDRINUSE`, for the operator. */
export const errorCode = (error: unknown): string =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "unknown reason"
