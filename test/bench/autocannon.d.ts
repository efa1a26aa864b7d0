/** The parts of `autocannon` that the benchmark uses; it has no types. */
declare module "autocannon" {
  interface Request {
    readonly headers: Readonly<Record<string, string>>
  }
  interface Options {
    readonly url: string
    readonly connections: number
    /** In seconds. */
    readonly duration: number
    /** In seconds. */
    readonly timeout: number
    readonly method: string
    readonly headers: Readonly<Record<string, string>>
    readonly body?: Uint8Array
    readonly requests: ReadonlyArray<{ readonly setupRequest: (request: Request) => Request }>
  }
  interface Result {
    /** In seconds. */
    readonly duration: number
    readonly errors: number
    readonly non2xx: number
    readonly requests: { readonly total: number }
    readonly throughput: { readonly total: number }
    /** In milliseconds. */
    readonly latency: { readonly p50: number; readonly p99: number }
  }
  export default function autocannon(options: Options): Promise<Result>
}
