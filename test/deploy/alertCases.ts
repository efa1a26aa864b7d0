/** For each alert, what Prometheus has stored when it fires, and when it does not: values each minute, for an hour. */

/** Values by series, in promtool's notation: `0+60x60` is 0, 60, 120, …. */
export type Stored = Readonly<Record<string, string>>

const gateway = (labels = "") => `{job="mcp-authorizer",instance="gw:9464"${labels === "" ? "" : `,${labels}`}}`

const requests = (status: string, reason: string) =>
  `mcp_authorizer_requests_total${
    gateway(`server="default",method="tools/call",status="${status}",reason="${reason}"`)
  }`

const bucket = (le: string) =>
  `mcp_authorizer_upstream_duration_seconds_bucket${gateway(`server="default",le="${le}"`)}`

const key = (name: string, more = "") =>
  `mcp_authorizer_key_${name}${gateway(`provider="idp",source="https://idp.example"${more}`)}`

const endpoint = (outcome: string) =>
  `mcp_authorizer_provider_requests_total${gateway(`provider="idp",type="introspection",outcome="${outcome}"`)}`

const good = requests("200", "none")

export const alertCases: Readonly<Record<string, { readonly fires: Stored; readonly quiet: Stored }>> = {
  McpAuthorizerDown: {
    fires: { [`up${gateway()}`]: "1x50 0x10" },
    quiet: { [`up${gateway()}`]: "1x60" }
  },
  McpAuthorizerProcessMissing: {
    fires: { [`mcp_authorizer_processes${gateway()}`]: "5x50 4x20" },
    quiet: { [`mcp_authorizer_processes${gateway()}`]: "5x70" }
  },
  McpAuthorizerErrors: {
    fires: { [good]: "0+900x60", [requests("502", "UpstreamUnavailable")]: "0+100x60" },
    quiet: { [good]: "0+990x60", [requests("502", "UpstreamUnavailable")]: "0+10x60" }
  },
  McpServerUnavailable: {
    fires: { [good]: "0+900x60", [requests("504", "UpstreamTimeout")]: "0+1x60" },
    quiet: { [good]: "0+900x60", [requests("500", "ProviderUnavailable")]: "0+1x60" }
  },
  McpServerSlow: {
    fires: { [bucket("5")]: "0+50x60", [bucket("30")]: "0+100x60", [bucket("+Inf")]: "0+100x60" },
    quiet: { [bucket("5")]: "0+99x60", [bucket("30")]: "0+100x60", [bucket("+Inf")]: "0+100x60" }
  },
  McpProviderUnavailable: {
    fires: { [`mcp_authorizer_token_rejections_total${gateway(`reason="ProviderUnavailable"`)}`]: "0+1x60" },
    quiet: { [`mcp_authorizer_token_rejections_total${gateway(`reason="Expired"`)}`]: "0+100x60" }
  },
  McpProviderKeysUnavailable: {
    fires: { [key("phase", `,phase="unavailable"`)]: "1x60", [key("phase", `,phase="fresh"`)]: "0x60" },
    quiet: { [key("phase", `,phase="unavailable"`)]: "0x60", [key("phase", `,phase="fresh"`)]: "1x60" }
  },
  McpProviderKeysStale: {
    fires: { [key("overdue_seconds")]: "0+60x60" },
    quiet: { [key("overdue_seconds")]: "0x60" }
  },
  McpProviderEndpointFailing: {
    fires: { [endpoint("success")]: "0+50x60", [endpoint("failure")]: "0+10x60", [endpoint("paused")]: "0+40x60" },
    quiet: { [endpoint("success")]: "0+50x60", [endpoint("failure")]: "0+1x60", [endpoint("rejected")]: "0+40x60" }
  },
  McpTokensRejected: {
    fires: { [good]: "0+60x60", [requests("401", "Expired")]: "0+60x60" },
    // A first request without a token is part of the protocol, and a few rejections are usual.
    quiet: {
      [good]: "0+60x60",
      [requests("401", "MissingCredential")]: "0+600x60",
      [requests("401", "Expired")]: "0+10x60"
    }
  },
  McpPolicyErrors: {
    fires: { [`mcp_authorizer_policy_errors_total${gateway(`server="default"`)}`]: "0x55 1x10" },
    quiet: { [`mcp_authorizer_policy_errors_total${gateway(`server="default"`)}`]: "5x70" }
  },
  McpRateLimited: {
    fires: { [`mcp_authorizer_rate_limit_rejections_total${gateway(`on="messages"`)}`]: "0+120x60" },
    quiet: { [`mcp_authorizer_rate_limit_rejections_total${gateway(`on="messages"`)}`]: "0+30x60" }
  },
  McpLimitStoreFailing: {
    fires: { [`mcp_authorizer_store_failures_total${gateway(`outcome="open"`)}`]: "0+10x60" },
    quiet: { [`mcp_authorizer_store_failures_total${gateway(`outcome="open"`)}`]: "7x60" }
  },
  McpAuditEntriesLost: {
    fires: { [`mcp_authorizer_audit_entries_total${gateway(`outcome="dropped"`)}`]: "0x55 3x10" },
    quiet: {
      [`mcp_authorizer_audit_entries_total${gateway(`outcome="dropped"`)}`]: "3x70",
      [`mcp_authorizer_audit_entries_total${gateway(`outcome="written"`)}`]: "0+100x60"
    }
  },
  McpConfigurationRejected: {
    fires: { [`mcp_authorizer_config_last_reload_successful${gateway()}`]: "1x50 0x20" },
    quiet: { [`mcp_authorizer_config_last_reload_successful${gateway()}`]: "1x70" }
  },
  McpAuthorizerEventLoopLate: {
    fires: { [`nodejs_eventloop_delay_p99_seconds${gateway()}`]: "0.4x60" },
    quiet: { [`nodejs_eventloop_delay_p99_seconds${gateway()}`]: "0.02x60" }
  },
  McpAuthorizerDescriptorsLow: {
    fires: { [`process_open_fds_ratio${gateway()}`]: "0.9x60" },
    // Of another program.
    quiet: {
      [`process_open_fds_ratio${gateway()}`]: "0.1x60",
      [`process_open_fds_ratio{job="node",instance="n"}`]: "0.9x60"
    }
  }
}
