/**
 * The table of all metrics of the gateway. Recording, the Prometheus text, OTLP and the reference derive from it.
 *
 * Names, units and attributes are OpenTelemetry's; `prometheus.ts` derives the names for Prometheus. Each label has a
 * limited number of values, and none of them comes from a token.
 */
import type { MetricRow } from "./rows/MetricRow.ts"
import { operation } from "./rows/operation.ts"
import { requests } from "./rows/requests.ts"
import { runtime } from "./rows/runtime.ts"
import { verification } from "./rows/verification.ts"

const table = { ...requests, ...verification, ...operation, ...runtime } as const satisfies Readonly<
  Record<string, MetricRow>
>

type Table = typeof table

export type MetricName = keyof Table

export type NameOf<K extends MetricRow["kind"]> = {
  readonly [N in MetricName]: Table[N]["kind"] extends K ? N : never
}[MetricName]

export type Labels<N extends MetricName> = { readonly [L in keyof Table[N]["labels"]]: string }

/** The table, by name, in the order of the reference. */
export const metrics: { readonly [N in MetricName]: MetricRow } = table

/** The names in the order of the reference. */
// `Object.keys` has no narrower type; the table is a constant.
export const metricNames = Object.keys(table) as ReadonlyArray<MetricName>

export const isMetricName = (id: string): id is MetricName => Object.hasOwn(table, id)
