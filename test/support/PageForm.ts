/** The pages of a sign-in, and the user who fills them in. */

/** A form of a page as it is sent (`POST`). */
export interface PageForm {
  /** The target, relative to the page. */
  readonly action: string
  readonly fields: Readonly<Record<string, string>>
}

/** Fills in the form of a page; `undefined` if there is none. */
export type FillIn = (page: string) => PageForm | undefined
