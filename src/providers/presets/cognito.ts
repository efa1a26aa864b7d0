import { facadeClient, type GivenValue, type Preset, type PresetMistake } from "./Preset.ts"

/** The id of a user pool begins with its region. */
const pool = /^([a-z]{2}(?:-[a-z]+)+-[0-9])_[A-Za-z0-9]{1,55}$/

const regionsOf = (given: GivenValue): ReadonlyArray<string | undefined> => [
  ...new Set((given("tenants") ?? []).map((id) => pool.exec(id)?.[1]))
]

const otherRegions = (given: GivenValue): ReadonlyArray<PresetMistake> => {
  const regions = regionsOf(given)
  if (regions.includes(undefined)) {
    return [{
      field: "tenants",
      problem: "contains something that is not the id of a user pool",
      fix: "Write the User pool ID, as in eu-central-1_AbCdEf123"
    }]
  }
  return regions.length <= 1 ? [] : [{
    field: "tenants",
    problem: "has user pools of several regions, which have different issuers",
    fix: "Give each region a provider of its own"
  }]
}

/** Access tokens have no `aud` unless the client requested a resource, so the client is checked instead. */
export const cognito = {
  name: "cognito",
  sources: [
    "https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html",
    "https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html"
  ],
  needs: [
    { fields: ["tenants", "issuer"], fix: "Set it to the User pool ID, as in eu-central-1_AbCdEf123" },
    {
      fields: ["allowed_clients", "audience", "facade"],
      fix: "Set it to the ids of the app clients whose tokens are accepted"
    }
  ],
  fields: { type: "oidc", client_claims: ["client_id"] },
  derive: (given) => {
    const [region] = regionsOf(given)
    const suffix = region?.startsWith("cn-") === true ? "amazonaws.com.cn" : "amazonaws.com"
    const client = given("audience") === undefined ? facadeClient(given) : {}
    return region === undefined ? client : {
      ...client,
      issuer: `https://cognito-idp.${region}.${suffix}/{tenantid}`
    }
  },
  mistakes: otherRegions
} as const satisfies Preset
