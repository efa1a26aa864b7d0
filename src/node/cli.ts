import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Argument from "effect/cli/Argument"
import * as CliConfig from "effect/cli/CliConfig"
import * as CliError from "effect/cli/CliError"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { version } from "../version.ts"
import { check as checkSettings } from "./commands/check.ts"
import { demo } from "./commands/demo.ts"
import { doctor } from "./commands/doctor.ts"
import { CannotTell, explain } from "./commands/explain.ts"
import { healthcheck } from "./commands/healthcheck.ts"
import { schema } from "./commands/schema.ts"
import { serve } from "./commands/serve.ts"
import { runMain } from "./runMain.ts"
import { StartupFailed } from "./StartupFailed.ts"

const config = Flag.String("config").pipe(
  Flag.withMetavar("FILE"),
  Flag.withDescription("JSON file with settings; the environment takes precedence (MCP_CONFIG_FILE)"),
  Flag.optional
)

const workers = Flag.String("workers").pipe(
  Flag.withMetavar("N"),
  Flag.withDescription("Number of processes that share the port, or auto (MCP_WORKERS)"),
  Flag.optional
)

const check = Flag.Boolean("check").pipe(
  Flag.withDescription("Validate the settings, print them without secrets, and exit 0 or 1"),
  Flag.withDefault(false)
)

const online = Flag.Boolean("online").pipe(
  Flag.withDescription("With --check: also send requests to each provider and the MCP server, and print the results"),
  Flag.withDefault(false)
)

const demoCommand = Command.make("demo", {}, () => demo).pipe(
  Command.withDescription("Run the gateway with a development identity provider and a small MCP server, on loopback")
)

const doctorCommand = Command.make("doctor", {
  url: Argument.String("URL").pipe(
    Argument.withDescription("The MCP server to examine; without it, the servers of the configuration"),
    Argument.optional
  ),
  config,
  tokenFile: Flag.String("token-file").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription("An access token, to examine what comes after signing in; - for standard input"),
    Flag.optional
  ),
  json: Flag.Boolean("json").pipe(Flag.withDescription("Print the report as JSON"), Flag.withDefault(false)),
  register: Flag.Boolean("register").pipe(
    Flag.withDescription("Register a client as MCP clients do, and delete it again if the provider can"),
    Flag.withDefault(false)
  ),
  call: Flag.String("call").pipe(
    Flag.withMetavar("TOOL"),
    Flag.withDescription("Call this tool, to measure whether its events are held back on their way"),
    Flag.optional
  ),
  arguments: Flag.String("arguments").pipe(
    Flag.withMetavar("JSON"),
    Flag.withDescription("The arguments of the tool"),
    Flag.optional
  ),
  listen: Flag.Int("listen").pipe(
    Flag.withMetavar("SECONDS"),
    Flag.withDescription("How long to listen to the event stream of the server"),
    Flag.withDefault(3)
  )
}, doctor).pipe(
  Command.withDescription(
    "Examine an MCP server in the way of a client, and say what is wrong, why it matters, and how to fix it"
  )
)

const schemaCommand = Command.make("schema", {}, () => schema).pipe(
  Command.withDescription("Print the JSON Schema of the config file")
)

const healthcheckCommand = Command.make("healthcheck", {
  config,
  ready: Flag.Boolean("ready").pipe(
    Flag.withDescription("Ask whether tokens can be verified (/readyz), not only whether the process lives (/healthz)"),
    Flag.withDefault(false)
  )
}, healthcheck).pipe(
  Command.withDescription("Ask the gateway on this machine whether it is healthy, and exit 0 or 1; for containers")
)

const text = (name: string, metavar: string, description: string) =>
  Flag.String(name).pipe(Flag.withMetavar(metavar), Flag.withDescription(description), Flag.optional)

const explainCommand = Command.make("explain", {
  config,
  tokenFile: text(
    "token-file",
    "FILE",
    "File that contains the token; by default, and with -, it is read from standard input"
  ),
  server: text("server", "NAME", "The MCP server that the token is for, if the settings have several"),
  issuer: text("issuer", "URL", "Explain against this issuer alone, without any configuration"),
  audience: text(
    "audience",
    "NAME",
    "With --issuer: the audience that tokens must have, or several, separated by commas"
  ),
  method: text("method", "NAME", "The JSON-RPC method that the rules are asked about, such as tools/list"),
  tool: text("tool", "NAME", "The tool that the rules are asked about; the method is tools/call then"),
  arguments: text("arguments", "JSON", "The arguments of the call, for rules whose condition looks at them"),
  json: Flag.Boolean("json").pipe(
    Flag.withDescription("Print the explanation as JSON"),
    Flag.withDefault(false)
  )
}, explain).pipe(
  Command.withDescription(
    "Explain what would become of a token: every rule with what it expects and finds, and what to do. " +
      "Exits with 0 if the token is accepted, 1 if it is rejected, 2 if it is not known"
  )
)

const command = Command.make("mcp-authorizer", { config, workers, check, online }, (options) => {
  if (options.check) return checkSettings(options)
  return options.online
    ? Effect.andThen(Console.error("--online goes with --check."), Effect.fail(new StartupFailed()))
    : serve(options)
}).pipe(
  Command.withDescription(
    "Authentication gateway for MCP servers: verifies bearer tokens, responds with OAuth challenges and discovery " +
      "documents, and forwards accepted requests. Configured by environment variables (see the README)."
  ),
  Command.withSubcommands([demoCommand, doctorCommand, explainCommand, healthcheckCommand, schemaCommand])
)

/** Commands whose exit code 1 is a result. A mistake in their flags gets another code. */
const withVerdict: ReadonlySet<string | undefined> = new Set(["doctor", "explain"])

const isWrongUse = (error: unknown): boolean =>
  CliError.isCliError(error) && error._tag === "ShowHelp" && error.errors.length > 0 &&
  withVerdict.has(error.commandPath[1])

const main = command.pipe(
  Command.run({ version }),
  Effect.mapError((error) => isWrongUse(error) ? new CannotTell() : error),
  Effect.provide(Layer.mergeAll(
    NodeServices.layer,
    CliConfig.layer({ builtIns: [GlobalFlag.Help, GlobalFlag.Version, GlobalFlag.Completions] })
  ))
)

/** Runs the command of this process's arguments. */
export const runCommandLine = () => runMain(main)
