import * as Console from "effect/Console"
import { configFileSchema } from "../../config/jsonSchema.ts"

/** `mcp-authorizer schema`: prints the JSON Schema of the config file, for editors and for checks before a rollout. */
export const schema = Console.log(JSON.stringify(configFileSchema, null, 2))
