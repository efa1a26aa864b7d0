/** Decides which requests `allowed_outbound_hosts` of a manifest allows, by Spin's rules. */

const defaultPorts = { http: "80", https: "443" }

const entryOf = (text) => {
  const [, scheme, host, port = ""] = /^([a-z]+|\*):\/\/(\[[^\]]+\]|[^:/]+)(?::([0-9.]+|\*))?$/.exec(text) ?? []
  if (scheme === undefined) throw new Error(`not an entry of allowed_outbound_hosts: ${text}`)
  return { scheme, host, port }
}

const allowsHost = (pattern, host) =>
  pattern === "*" || pattern === host || (pattern.startsWith("*.") && host.endsWith(pattern.slice(1)))

const allowsPort = (pattern, port, scheme) => {
  if (pattern === "*") return true
  const [from, to = from] = pattern.split("..")
  const usual = defaultPorts[scheme]
  return pattern === "" ? (port || usual) === usual : Number(port || usual) >= Number(from) && Number(port || usual) <= Number(to)
}

/** Whether these entries allow a request. An entry without a port means the default port of the scheme. */
export const isAllowed = (entries, scheme, authority) => {
  const [, host = "", port = ""] = /^(\[[^\]]+\]|[^:]*)(?::([0-9]+))?$/.exec(authority) ?? []
  return entries.map(entryOf).some((entry) =>
    (entry.scheme === "*" || entry.scheme === scheme) && allowsHost(entry.host, host) &&
    allowsPort(entry.port, port, scheme)
  )
}
