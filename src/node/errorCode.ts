/** The code of a system error, such as `EADDRINUSE`, for those who run the program. */
export const errorCode = (error: unknown): string =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "unknown reason"
