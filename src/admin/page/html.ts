/** HTML as values: a value in a template is text, unless it is HTML from this module. Pure. */
import { escapeHtml } from "../../errors/escapeHtml.ts"

/** A piece of HTML that was made by `html`, so that every text in it is escaped. */
export class Html {
  readonly #text: string

  private constructor(text: string) {
    this.#text = text
  }

  toString(): string {
    return this.#text
  }

  /** Joins the constant parts of a template with escaped values. Use `html`. */
  static of(strings: ReadonlyArray<string>, values: ReadonlyArray<Part>): Html {
    return new Html(strings.map((constant, index) => constant + written(values[index])).join(""))
  }

  /** Use `pathData`. */
  static ofPath(commands: string): Html {
    return new Html(commands.replaceAll(/[^MLHVZ\d. -]/g, ""))
  }
}

/** The data of an SVG path, of any length: commands and numbers. Other characters are left out. */
export const pathData = (commands: string): Html => Html.ofPath(commands)

/** The values that a template accepts: text, a number, HTML, a list of these, or nothing. */
export type Part = Html | string | number | undefined | false | ReadonlyArray<Part>

/** The maximum length of a text. The gateway's own texts, such as reasons for the log, are shorter. */
const longest = 2_048

// Control characters, marks that change the direction of text, invisible characters, line separators, lone surrogates,
// and code points that fonts do not agree on.
const invisible = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}]/gu

// More combining marks on one letter would cover the lines around it.
const pileOfMarks = /(\p{M}{3})\p{M}+/gu

/**
 * Makes any text safe for an element's content or a quoted attribute: escaped, shortened, and with `�` in place of
 * characters that are invisible or reorder others.
 */
export const escaped = (text: string): string => {
  const cut = text.length > longest ? `${text.slice(0, longest)}…` : text
  return escapeHtml(cut.replace(invisible, "\ufffd").replace(pileOfMarks, "$1"))
}

const written = (part: Part): string => {
  if (part === undefined || part === false) return ""
  if (typeof part === "string") return escaped(part)
  if (typeof part === "number" || part instanceof Html) return String(part)
  return part.map(written).join("")
}

/**
 * HTML from a template. Every value is escaped unless it is HTML itself, so no caller decides whether to escape.
 *
 * Attributes must be in double quotes, and no value may be part of a script, of a style, or of a URL's scheme.
 *
 * For example, "<script>" as the value of a paragraph becomes `<p>&lt;script&gt;</p>`.
 */
export const html = (strings: TemplateStringsArray, ...values: ReadonlyArray<Part>): Html => Html.of(strings, values)

/** A text that others have chosen, isolated so that it cannot change the direction of the text around it. */
export const foreign = (text: string): Html => html`<bdi>${text}</bdi>`
