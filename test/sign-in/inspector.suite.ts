import { testInspector } from "./inspector.ts"
import { sites } from "./sites.ts"

testInspector([
  {
    name: "a provider like Entra",
    start: sites["a provider like Entra"],
    locale: "en-US",
    consent: "Allow access?"
  },
  {
    name: "a provider like Entra",
    start: sites["a provider like Entra"],
    locale: "de-AT",
    consent: "Zugriff erlauben?"
  },
  {
    name: "a provider like Google",
    start: sites["a provider like Google"],
    locale: "en-US",
    consent: "Allow access?"
  },
  {
    name: "a provider like Cognito",
    start: sites["a provider like Cognito"],
    locale: "en-US",
    consent: "Allow access?"
  },
  {
    name: "a provider with registration",
    start: sites["a provider with registration"],
    locale: "en-US",
    consent: undefined
  }
])
