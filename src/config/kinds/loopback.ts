const loopbackHost = /^(?:localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])$/

/**
 * Returns whether the host of a parsed URL (`URL.hostname`) is this machine: `localhost`, `127.0.0.0/8`, `[::1]`.
 *
 * Names below `localhost` do not count, because some resolvers look them up in the network.
 */
export const isLoopbackHost = (hostname: string): boolean => loopbackHost.test(hostname)
