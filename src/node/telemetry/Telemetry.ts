/** What is exported over OTLP, and how: the parsed standard variables of OpenTelemetry. */

/** The kinds of data that OpenTelemetry exports. */
export const signals = ["traces", "metrics", "logs"] as const

/** One of `signals`. */
export type Signal = typeof signals[number]

/** Where one signal goes. */
export interface Export {
  /** The whole URL, http or https, without credentials. */
  readonly url: string
  /** Further fields of each request. Their values may be secrets. */
  readonly headers: Readonly<Record<string, string>>
  readonly protocol: "http/json" | "http/protobuf"
  readonly compression: "gzip" | "none"
  /** How long one request may take. */
  readonly timeoutMillis: number
  /** Files in PEM: authorities to trust, and the certificate and key of this client. */
  readonly certificate: string | undefined
  readonly clientCertificate: string | undefined
  readonly clientKey: string | undefined
}

/** How items are sent together. */
export interface Batching {
  readonly delayMillis: number
  /** Items of one request. */
  readonly maxBatch: number
  /** Items that wait, in all. Further ones are dropped. */
  readonly maxQueue: number
}

/** Which traces are recorded. */
export interface Sampler {
  /** Whether the decision of the caller holds, where it has sent one. */
  readonly isParentBased: boolean
  /** The share of traces without a decision, from 0 to 1. */
  readonly ratio: number
}

/** Everything about the export. */
export interface Telemetry {
  /** Signals that are missing are not exported. */
  readonly exports: { readonly [S in Signal]?: Export | undefined }
  readonly spans: Batching
  readonly logs: Batching
  readonly metricIntervalMillis: number
  readonly temporality: "cumulative" | "delta"
  readonly sampler: Sampler
  /** Whether trace contexts are read from requests and sent on. */
  readonly propagates: boolean
  readonly serviceName: string
  /** The other attributes of the resource. */
  readonly attributes: Readonly<Record<string, string>>
}
