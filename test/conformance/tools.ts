/**
 * The tools of both eras that the scenarios of `@modelcontextprotocol/conformance` call; the scenarios define what each
 * must do.
 */
import { setTimeout as wait } from "node:timers/promises"
import { audio, embedded, image, type Reply, response, text } from "./content.ts"

export interface InputSchema {
  readonly [keyword: string]: unknown
  readonly type: "object"
}

export interface ConformanceTool<Call> {
  readonly description: string
  readonly inputSchema?: InputSchema
  readonly run: (args: Readonly<Record<string, unknown>>, call: Call) => Reply | Promise<Reply>
}

/** What a tool can do while it runs, in both eras. */
export interface ToolCall {
  readonly log: (message: string) => Promise<void>
  /** Reports progress, in hundredths, if the client asked for it. */
  readonly report: (progress: number) => Promise<void>
}

export const tools: Readonly<Record<string, ConformanceTool<ToolCall>>> = {
  test_simple_text: {
    description: "Returns a text",
    run: () => response(text("This is a simple text response for testing."))
  },
  test_image_content: { description: "Returns an image", run: () => response(image) },
  test_audio_content: { description: "Returns a sound", run: () => response(audio) },
  test_embedded_resource: {
    description: "Returns a resource",
    run: () => response(embedded("test://embedded-resource", "This is an embedded resource content."))
  },
  test_multiple_content_types: {
    description: "Returns a text, an image and a resource",
    run: () =>
      response(
        text("Multiple content types test:"),
        image,
        embedded("test://mixed-content-resource", "{\"test\":\"data\",\"value\":123}", "application/json")
      )
  },
  test_tool_with_logging: {
    description: "Logs three messages while it runs",
    run: async (_, call) => {
      await call.log("Tool execution started")
      await wait(50)
      await call.log("Tool processing data")
      await wait(50)
      await call.log("Tool execution completed")
      return response(text("Logged"))
    }
  },
  test_tool_with_progress: {
    description: "Reports its progress three times",
    run: async (_, call) => {
      await call.report(0)
      await wait(50)
      await call.report(50)
      await wait(50)
      await call.report(100)
      return response(text("Done"))
    }
  },
  test_error_handling: {
    description: "Always fails",
    run: () => ({ ...response(text("This tool intentionally returns an error for testing")), isError: true })
  },
  json_schema_2020_12_tool: {
    description: "Tool with JSON Schema 2020-12 features",
    inputSchema: {
      $schema: "https://json-schema.org/draft/2020-12/schema",
      type: "object",
      $defs: {
        address: {
          $anchor: "address",
          type: "object",
          properties: { street: { type: "string" }, city: { type: "string" } }
        }
      },
      properties: { name: { type: "string" }, address: { $ref: "#/$defs/address" } },
      allOf: [{ anyOf: [{ required: ["name"] }, { required: ["address"] }] }],
      if: { required: ["address"] },
      // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
      then: { required: ["name"] },
      else: {},
      additionalProperties: false
    },
    run: (args) => response(text(JSON.stringify(args)))
  }
}

export const noInput: InputSchema = { type: "object" }

export const toolList = (
  listed: Readonly<Record<string, Pick<ConformanceTool<never>, "description" | "inputSchema">>>
) =>
  Object.entries(listed).map(([name, { description, inputSchema = noInput }]) => ({
    name,
    description,
    inputSchema
  }))
