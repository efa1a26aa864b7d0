/** What the host says of a request that failed (`wasi:http/types.error-code`), in the words that Node uses. Pure. */
const codes: Readonly<Record<string, string>> = {
  "DNS-error": "ENOTFOUND",
  "DNS-timeout": "EAI_AGAIN",
  "destination-not-found": "ENOTFOUND",
  "destination-unavailable": "EHOSTUNREACH",
  "destination-IP-unroutable": "EHOSTUNREACH",
  "connection-refused": "ECONNREFUSED",
  "connection-terminated": "ECONNRESET",
  "HTTP-response-incomplete": "ECONNRESET",
  "connection-timeout": "ETIMEDOUT",
  "connection-read-timeout": "ETIMEDOUT",
  "connection-write-timeout": "ETIMEDOUT",
  "HTTP-response-timeout": "ETIMEDOUT",
  "HTTP-request-denied": "NOT_IN_ALLOWED_OUTBOUND_HOSTS",
  "destination-IP-prohibited": "NOT_IN_ALLOWED_OUTBOUND_HOSTS"
}

/** Builds the error of a request that the host gave up, with a code as the platform's errors on Node have one. */
export const failedRequest = (tag: string): TypeError => {
  const code = codes[tag] ?? tag.toUpperCase().replaceAll("-", "_")
  return Object.assign(new TypeError(code), { code })
}
