/** The list of presets. No other module lists them. */
import { auth0 } from "./auth0.ts"
import { authentik } from "./authentik.ts"
import { clerk } from "./clerk.ts"
import { cognito } from "./cognito.ts"
import { descope } from "./descope.ts"
import { entra, entraB2c, entraExternalId, entraVersion1 } from "./entra.ts"
import { github } from "./github.ts"
import { gitlab } from "./gitlab.ts"
import { google } from "./google.ts"
import { keycloak } from "./keycloak.ts"
import { okta } from "./okta.ts"
import { ory } from "./ory.ts"
import { ping } from "./ping.ts"
import type { Preset } from "./Preset.ts"
import { stytch } from "./stytch.ts"
import { authkit, workosConnect } from "./workos.ts"
import { zitadel } from "./zitadel.ts"

const list = [
  entra,
  entraVersion1,
  entraExternalId,
  entraB2c,
  google,
  okta,
  auth0,
  keycloak,
  cognito,
  github,
  gitlab,
  authkit,
  workosConnect,
  ping,
  zitadel,
  authentik,
  descope,
  clerk,
  stytch,
  ory
] as const

/** The presets, in the order of the reference. */
export const presets: ReadonlyArray<Preset> = list

/** The names that `preset` of a provider accepts. */
export type PresetName = (typeof list)[number]["name"]
