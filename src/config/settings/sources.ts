/** Settings that contain other settings. */
import { text } from "../kinds/kinds.ts"
import { entries, json, serverEntries } from "../sources/nested.ts"
import { type Setting } from "./Setting.ts"

export const sources = {
  MCP_CONFIG_FILE: { kind: text, variableOnly: true, doc: "A JSON file with settings; variables take precedence." },
  MCP_PROVIDERS: {
    kind: entries,
    secret: true,
    doc: "Several providers, in place of the settings that describe one: a JSON array of objects."
  },
  MCP_SERVERS: {
    kind: serverEntries,
    secret: true,
    doc:
      "Several MCP servers, in place of `MCP_SERVER_URL`: a JSON array of objects. What an entry leaves out it inherits from " +
      "the other settings."
  },
  AUTH_CONFIG: {
    kind: json,
    secret: true,
    variableOnly: true,
    doc: "Gateway URL, trace header and providers in one JSON object, in the form of the FTL auth gateway."
  }
} as const satisfies Record<string, Setting>
