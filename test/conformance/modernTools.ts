/** The tools of revision 2026-07-28: they request input in their response, and the client calls again with that input. */
import {
  CLIENT_CAPABILITIES_META_KEY,
  type ClientCapabilities,
  createRequestStateCodec,
  type InputRequests,
  inputRequired,
  type InputRequiredResult,
  inputResponse,
  type ServerContext,
  type ServerNotifier
} from "@modelcontextprotocol/server"
import { randomBytes } from "node:crypto"
import { type Reply, response, text } from "./content.ts"
import type { InputSchema } from "./tools.ts"

interface ModernTool {
  readonly description: string
  readonly inputSchema?: InputSchema
  readonly run: (
    context: ServerContext,
    notify: ServerNotifier
  ) => Reply | InputRequiredResult | Promise<Reply | InputRequiredResult>
}

/** Signs the number of rounds of questions, so that a client cannot forge it. */
export const askedRounds = createRequestStateCodec<number>({ key: randomBytes(32) })

const elicit = (message: string, name: string) =>
  inputRequired.elicit({
    message,
    requestedSchema: { type: "object", properties: { [name]: { type: "string" } }, required: [name] }
  })

const sample = (question: string) =>
  inputRequired.createMessage({ messages: [{ role: "user", content: text(question) }], maxTokens: 100 })

const hasInput = ({ mcpReq }: ServerContext, requests: InputRequests): boolean =>
  Object.keys(requests).every((key) => inputResponse(mcpReq.inputResponses, key).kind !== "missing")

/** Asks once, without a state; `undefined` when the client has responded. */
export const ask = (context: ServerContext, requests: InputRequests): InputRequiredResult | undefined =>
  hasInput(context, requests) ? undefined : inputRequired({ inputRequests: requests })

const asking = (description: string, requests: InputRequests): ModernTool => ({
  description,
  run: (context) => ask(context, requests) ?? response(text(JSON.stringify(context.mcpReq.inputResponses)))
})

/** Asks round after round. */
const askingInRounds = (description: string, ...rounds: ReadonlyArray<InputRequests>): ModernTool => ({
  description,
  run: async (context) => {
    const asked = context.mcpReq.requestState<number>() ?? 0
    const open = rounds[asked - 1]
    const next = open !== undefined && !hasInput(context, open) ? asked - 1 : asked
    const inputRequests = rounds[next]
    return inputRequests === undefined
      ? response(text("state-ok"))
      : inputRequired({ inputRequests, requestState: await askedRounds.mint(next + 1) })
  }
})

// The package leaves the members of the envelope out of its type.
type Envelope = { readonly [CLIENT_CAPABILITIES_META_KEY]?: ClientCapabilities }

const capabilities = ({ envelope }: ServerContext["mcpReq"]): ClientCapabilities =>
  (envelope as Envelope | undefined)?.[CLIENT_CAPABILITIES_META_KEY] ?? {}

const confirm = { confirm: elicit("Please confirm", "ok") }

export const contextQuestion = { user_context: elicit("What context should the prompt use?", "context") }

export const modernTools: Readonly<Record<string, ModernTool>> = {
  test_input_required_result_elicitation: asking("Asks for a name", { user_name: elicit("Your name?", "name") }),
  test_input_required_result_sampling: asking("Asks a model", { capital_question: sample("The capital of France?") }),
  test_input_required_result_list_roots: asking("Asks for roots", { client_roots: inputRequired.listRoots() }),
  test_input_required_result_request_state: askingInRounds("Asks, with a state", confirm),
  test_input_required_result_tampered_state: askingInRounds("Asks, with a signed state", confirm),
  test_input_required_result_multiple_inputs: askingInRounds("Asks for everything", {
    user_name: elicit("Your name?", "name"),
    greeting: sample("Generate a greeting"),
    client_roots: inputRequired.listRoots()
  }),
  test_input_required_result_multi_round: askingInRounds(
    "Asks twice",
    { step1: elicit("Your name?", "name") },
    { step2: elicit("Your favorite color?", "color") }
  ),
  test_input_required_result_capabilities: {
    description: "Asks for what the client can give",
    run: ({ mcpReq }) => {
      const able = capabilities(mcpReq)
      const inputRequests = {
        ...(able.elicitation === undefined ? {} : confirm),
        ...(able.sampling === undefined ? {} : { question: sample("The capital of France?") })
      }
      return inputRequired({ inputRequests })
    }
  },
  test_missing_capability: asking("Needs a client with a model", { question: sample("The capital of France?") }),
  test_streaming_elicitation: asking("Asks on a stream", confirm),
  test_logging_tool: {
    description: "Logs a message",
    run: async ({ mcpReq }) => {
      await mcpReq.log("info", "Logged")
      return response(text("Logged"))
    }
  },
  test_trigger_tool_change: {
    description: "Announces that the tools have changed",
    run: (_, notify) => {
      notify.toolsChanged()
      return response(text("Announced"))
    }
  },
  test_trigger_prompt_change: {
    description: "Announces that the prompts have changed",
    run: (_, notify) => {
      notify.promptsChanged()
      return response(text("Announced"))
    }
  },
  test_mirrored_argument: {
    description: "Has an argument that a header repeats",
    inputSchema: { type: "object", properties: { region: { type: "string", "x-mcp-header": "Region" } } },
    run: () => response(text("Mirrored"))
  }
}
