import * as Option from "effect/Option"
import { serve } from "./commands/serve.ts"
import { runMain } from "./runMain.ts"
import { work } from "./workers/worker.ts"

/** Serves as the environment says: what the program does without arguments. */
export const runService = () => runMain(serve({ config: Option.none(), workers: Option.none() }))

/** Serves as the primary says. */
export const runWorker = () => runMain(work)
