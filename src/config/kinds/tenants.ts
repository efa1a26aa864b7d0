import * as Result from "effect/Result"
import { invalid } from "./kind.ts"
import { list } from "./kinds.ts"

const maxTenants = 1000

const tenant = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,254}[A-Za-z0-9])?$/

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Addresses at which several tenants sign in; no token has them. */
const collective = /^(?:common|organizations|consumers)$/i

/** Tenants as they stand in issuers; the letters of UUIDs in lower case, as issuers write them. */
export const tenants = list("comma list", /,/, (members) => {
  if (members.length > maxTenants) return invalid("is too long", `Name at most ${maxTenants} tenants`)
  if (members.some((member) => collective.test(member))) {
    return invalid("names an address for several tenants, which no token has", "Name each tenant by its id")
  }
  return members.every((member) => tenant.test(member))
    ? Result.succeed([...new Set(members.map((member) => uuid.test(member) ? member.toLowerCase() : member))])
    : invalid("contains something that is not a tenant", "Write each tenant as the iss claim of its tokens has it")
})
