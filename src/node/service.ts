import * as Option from "effect/Option"
import { serve } from "./commands/serve.ts"
import { runMain } from "./runMain.ts"
import { work } from "./workers/worker.ts"

/** Runs the service from the environment, without arguments. */
export const runService = () => runMain(serve({ config: Option.none(), workers: Option.none() }))

export const runWorker = () => runMain(work)
