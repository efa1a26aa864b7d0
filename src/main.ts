#!/usr/bin/env node
import { exit, stderr } from "node:process"

// Only the service on Node needs it, so it is an optional peer: whoever embeds the gateway elsewhere does without.
const platform = "@effect/platform-node"

const isMissing = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND" && error.message.includes(platform)

import("./node/cli.ts").catch((error: unknown) => {
  if (!isMissing(error)) throw error
  stderr.write(`mcp-authorizer needs ${platform} to run as a service: npm install ${platform}@~4.1.0\n`)
  exit(1)
})
