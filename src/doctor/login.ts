/** Detection of pages and redirects that ask a person to sign in. Pure. */
import { isHtml, isRedirect, type Responded, targetOf } from "./wire/Reply.ts"

const loginPath =
  /(?:^|[/._-])(?:login|log-in|signin|sign_in|sign-in|oauth2\/(?:start|sign_in|authorize)|authorize|sso|saml2?|cdn-cgi\/access)(?:$|[/?._-])/i

const loginText = /sign[ -]?in|log[ -]?in|authentication required|type=["']?password/i

const statuses: ReadonlySet<number> = new Set([200, 401, 403])

/** Whether a page or a redirect asks a person to sign in. */
export const isLogin = (reply: Responded): boolean => {
  if (isRedirect(reply)) return loginPath.test(targetOf(reply) ?? "")
  return isHtml(reply) && statuses.has(reply.status) && loginText.test(reply.text) &&
    !/\bbearer\b/i.test(reply.headers["www-authenticate"] ?? "")
}
