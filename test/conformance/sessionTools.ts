/** The tools that need a session: the server asks the client for something, or the client comes back for its response. */
import type { RequestHandlerExtra } from "@modelcontextprotocol/sdk/shared/protocol.js"
import {
  CreateMessageResultSchema,
  type ElicitRequestFormParams,
  ElicitResultSchema,
  type ServerNotification,
  type ServerRequest
} from "@modelcontextprotocol/sdk/types.js"
import { setTimeout as wait } from "node:timers/promises"
import { response, text } from "./content.ts"
import type { ConformanceTool, InputSchema } from "./tools.ts"

export type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>

const stringInput = (name: string): InputSchema => ({
  type: "object",
  properties: { [name]: { type: "string" } },
  required: [name]
})

const elicit = async (extra: Extra, message: string, requestedSchema: ElicitRequestFormParams["requestedSchema"]) => {
  const params = { mode: "form" as const, message, requestedSchema }
  const { action, content } = await extra.sendRequest({ method: "elicitation/create", params }, ElicitResultSchema)
  return response(text(`Elicitation completed: action=${action}, content=${JSON.stringify(content ?? {})}`))
}

const titled = (...titles: ReadonlyArray<string>) =>
  titles.map((title, index) => ({ const: `value${index + 1}`, title }))

export const sessionTools: Readonly<Record<string, ConformanceTool<Extra>>> = {
  test_reconnection: {
    description: "Closes its event stream before it responds",
    run: async (_, extra) => {
      extra.closeSSEStream?.()
      await wait(100)
      return response(text("Reconnected"))
    }
  },
  test_sampling: {
    description: "Asks the client's model",
    inputSchema: stringInput("prompt"),
    run: async ({ prompt }, extra) => {
      const messages = [{ role: "user" as const, content: text(String(prompt)) }]
      const { content } = await extra.sendRequest(
        { method: "sampling/createMessage", params: { messages, maxTokens: 100 } },
        CreateMessageResultSchema
      )
      return response(text(`LLM response: ${content.type === "text" ? content.text : content.type}`))
    }
  },
  test_elicitation: {
    description: "Asks the client's user for a name and an address",
    inputSchema: stringInput("message"),
    run: ({ message }, extra) =>
      elicit(extra, String(message), {
        type: "object",
        properties: {
          username: { type: "string", description: "User's response" },
          email: { type: "string", description: "User's email address" }
        },
        required: ["username", "email"]
      })
  },
  test_elicitation_sep1034_defaults: {
    description: "Asks the client's user, with a default for each response",
    run: (_, extra) =>
      elicit(extra, "Please review the defaults", {
        type: "object",
        properties: {
          name: { type: "string", default: "John Doe" },
          age: { type: "integer", default: 30 },
          score: { type: "number", default: 95.5 },
          status: { type: "string", enum: ["active", "inactive", "pending"], default: "active" },
          verified: { type: "boolean", default: true }
        }
      })
  },
  test_elicitation_sep1330_enums: {
    description: "Asks the client's user to choose, in every way that there is",
    run: (_, extra) =>
      elicit(extra, "Please choose", {
        type: "object",
        properties: {
          untitledSingle: { type: "string", enum: ["option1", "option2", "option3"] },
          titledSingle: { type: "string", oneOf: titled("First Option", "Second Option", "Third Option") },
          legacyEnum: {
            type: "string",
            enum: ["opt1", "opt2", "opt3"],
            enumNames: ["Option One", "Option Two", "Option Three"]
          },
          untitledMulti: { type: "array", items: { type: "string", enum: ["option1", "option2", "option3"] } },
          titledMulti: { type: "array", items: { anyOf: titled("First Choice", "Second Choice", "Third Choice") } }
        }
      })
  }
}
