/** The fields that Spin adds to a request for a component with the route `/...`. */
export const requestFields = (host, target) => [
  ["spin-path-info", target.split("?")[0]],
  ["spin-full-url", `http://${host}${target}`],
  ["spin-matched-route", "/..."],
  ["spin-base-path", "/"],
  ["spin-raw-component-route", "/..."],
  ["spin-component-route", ""],
  ["spin-client-addr", "127.0.0.1:50000"]
]
