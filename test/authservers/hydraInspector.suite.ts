import { testInspector } from "../sign-in/inspector.ts"
import { hydraSites } from "./hydraSites.ts"

testInspector(
  Object.entries(hydraSites).map(([name, start]) => ({ name, start, locale: "en-US", consent: "Allow access?" }))
)
