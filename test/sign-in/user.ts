/** The user of a program: opens what it wants to have opened, consents, and is sent back to it. */
import { allow } from "../facade/consenting.ts"
import { followRedirects } from "../support/followRedirects.ts"

/** Signs in at the URL that a program gives its user, and comes back to the program. */
export const signInAt = async (url: string): Promise<void> => {
  const start = new URL(url)
  const redirectUri = start.searchParams.get("redirect_uri")
  if (redirectUri === null) throw new Error(`no redirect_uri in ${url}`)
  const back = await followRedirects(start, redirectUri, allow)
  const { status } = await fetch(back)
  if (status >= 400) throw new Error(`the program responds ${status}`)
}
