/** The user of a program: opens its URLs, consents, and is redirected back to it. */
import { allow } from "../facade/consenting.ts"
import { followRedirects } from "../support/followRedirects.ts"

/** Signs in at the URL that a program shows its user, and returns to the program. */
export const signInAt = async (url: string): Promise<void> => {
  const start = new URL(url)
  const redirectUri = start.searchParams.get("redirect_uri")
  if (redirectUri === null) throw new Error(`no redirect_uri in ${url}`)
  const back = await followRedirects(start, redirectUri, allow)
  const { status } = await fetch(back)
  if (status >= 400) throw new Error(`the program responds ${status}`)
}
