#!/usr/bin/env node
import { workerArgument } from "./node/workers/messages.ts"

// The global one: importing `node:process` opens all standard streams.
const [, , first] = process.argv

/** A worker forked by another program's cluster is not one of ours. */
const isWorker = async () => first === workerArgument && (await import("node:cluster")).default.isWorker

// The code for the command line takes longer to load than the gateway itself.
if (first === undefined) (await import("./node/service.ts")).runService()
else if (await isWorker()) (await import("./node/service.ts")).runWorker()
else (await import("./node/cli.ts")).runCommandLine()
