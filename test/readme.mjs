// Writes the reference tables of the READMEs, and the types of settings with their comments, anew: `npm run readme`, after a
// setting, the policy, or the catalogue of requirements changed.
import { readFileSync, writeFileSync } from "node:fs"
import { metricReference } from "../dist/admin/metricReference.js"
import { auditReference } from "../dist/audit/AuditEntry.js"
import { providerReference, serverReference, settingsReference } from "../dist/config/reference.js"
import { settingNames, settings } from "../dist/config/settings.js"
import { inputModule, resolvedModule } from "../dist/config/writtenTypes.js"
import { findingsReference } from "../dist/doctor/reference.js"
import { logReference } from "../dist/config/logReference.js"
import { policyReference } from "../dist/keys/cryptoPolicy.js"
import { telemetryReference } from "../dist/node/telemetry/variables.js"
import { writeManifests } from "../src/build/spin/manifests.mjs"
import { catalogueReference } from "./catalogue/catalogue.mjs"

const replaceTable = (path, table) => {
  const file = new URL(path, import.meta.url)
  const head = table.slice(0, table.indexOf("\n"))
  const lines = readFileSync(file, "utf8").split("\n")
  const from = lines.indexOf(head)
  if (from === -1) throw new Error(`${path} has no table with the head ${head}`)
  let to = from
  while (lines[to]?.startsWith("|")) to++
  writeFileSync(file, [...lines.slice(0, from), table, ...lines.slice(to)].join("\n"))
}

replaceTable("../src/config/README.md", settingsReference())
replaceTable("../src/config/README.md", providerReference())
replaceTable("../src/config/README.md", serverReference())
replaceTable("../src/keys/README.md", policyReference())
replaceTable("../src/audit/README.md", auditReference())
replaceTable("../src/node/README.md", logReference())
replaceTable("../src/metrics/README.md", metricReference())
replaceTable("../src/doctor/README.md", findingsReference())
replaceTable("../src/node/telemetry/README.md", telemetryReference())

writeFileSync(new URL("../src/config/GatewayConfigInput.ts", import.meta.url), inputModule())
writeFileSync(new URL("../src/config/ResolvedSettings.ts", import.meta.url), resolvedModule())

writeManifests(settingNames.map((name) => ({ name, isSecret: settings[name].secret === true })))

const page = new URL("catalogue/README.md", import.meta.url)
const introduction = readFileSync(page, "utf8").split("\n## ")[0]?.trimEnd()
writeFileSync(page, `${introduction}\n\n${catalogueReference()}\n`)
