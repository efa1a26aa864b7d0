/** An explanation as text for people. Pure. */
import type { Explanation, Step } from "./Explanation.ts"

export interface RenderOptions {
  readonly colour: boolean
  /** The width at which lines are broken, in characters; `undefined` if they are not. */
  readonly width?: number | undefined
}

const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const

type Paint = (style: keyof typeof codes, text: string) => string

const painter = (colour: boolean): Paint => (style, text) => colour ? `\u001b[${codes[style]}m${text}\u001b[0m` : text

const marks: { readonly [V in Step["verdict"]]: readonly [mark: string, style: keyof typeof codes] } = {
  pass: ["✓", "green"],
  fail: ["✗", "red"],
  skipped: ["–", "dim"],
  unknown: ["?", "yellow"]
}

// Texts come from tokens and providers, so characters that move the cursor or hide text are shown as codes.
const unprintable = /[\p{C}\p{Zl}\p{Zp}]/gu

const printable = (text: string): string =>
  text.replace(unprintable, (character) => `\\u{${character.codePointAt(0)?.toString(16) ?? ""}}`)

/** Breaks text at spaces. A word that is longer than a line is not broken, so that it can be copied. */
const broken = (text: string, width: number): ReadonlyArray<string> => {
  const lines: Array<string> = []
  let line = ""
  for (const word of printable(text).split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === "" ? word : `${line} ${word}`
  }
  return [...lines, line]
}

/** The widths of the longest name of a step, and of the longest name of a part. */
const nameWidth = 19
const labelWidth = 10

/** @param width of the text alone */
const block = (text: string, indent: string, width: number): string => broken(text, width).join(`\n${indent}`)

const stepLines = (step: Step, paint: Paint, width: number): ReadonlyArray<string> => {
  const [mark, style] = marks[step.verdict]
  const head = `${paint(style, mark)} ${paint("bold", step.name.padEnd(nameWidth - 2))}`
  const indent = " ".repeat(nameWidth)
  const isPlain = step.verdict === "pass" || step.verdict === "skipped"
  if (isPlain) {
    const text = block(step.found, indent, width - nameWidth)
    const note = step.fix === undefined ? [] : [`${indent}${block(step.fix, indent, width - nameWidth)}`]
    return [`${head}${step.verdict === "skipped" ? paint("dim", text) : text}`, ...note]
  }
  const parts = [["found", step.found, style], ["expected", step.expected, undefined], [
    "fix",
    step.fix,
    "cyan"
  ]] as const
  return parts.filter(([, text]) => text !== undefined && text !== "").map(([label, text = "", style], index) => {
    const lines = block(text, `${indent}${" ".repeat(labelWidth)}`, width - nameWidth - labelWidth)
    return `${index === 0 ? head : indent}${paint("dim", label.padEnd(labelWidth))}${
      style === undefined ? lines : paint(style, lines)
    }`
  })
}

const headline = ({ outcome }: Explanation, paint: Paint): string => {
  const { decision, step } = outcome
  const by = step === undefined ? "" : ` by the rule about ${step}`
  switch (decision) {
    case "accepted":
      return paint("green", "Accepted")
    case "rejected":
      return paint("red", `Rejected${by}`)
    case "unknown":
      return paint("yellow", `Cannot tell${step === undefined ? "" : `, because of ${step}`}`)
  }
}

const responseText = ({ outcome: { decision, response } }: Explanation): ReadonlyArray<string> => {
  if (response === undefined) return []
  const { description, error, status } = response
  const again = decision === "unknown" ? ", and try again later" : ""
  return [`Clients get ${status} ${error} (${description})${again}.`]
}

/** The rules that reject the token in addition to the one that decides. All of them have to be fixed. */
const othersText = ({ outcome, steps }: Explanation): ReadonlyArray<string> => {
  const others = steps.filter(({ name, verdict }) => verdict === "fail" && name !== outcome.step).map(({ name }) =>
    name
  )
  return others.length === 0 ? [] : [`After that, these rules would reject it as well: ${others.join(", ")}.`]
}

const upstreamLines = ({ upstream }: Explanation, paint: Paint): ReadonlyArray<string> => {
  if (upstream === undefined) return []
  const { authContext, headers, token } = upstream
  const fields = Object.entries(headers)
  const longest = Math.max(0, ...fields.map(([name]) => name.length))
  return [
    "",
    paint("bold", "The MCP server would see"),
    ...fields.map(([name, value]) => `  ${paint("cyan", name.padEnd(longest))}  ${printable(value)}`),
    ...(fields.length === 0 ? ["  no fields about the caller (MCP_IDENTITY_HEADERS is false)"] : []),
    ...(authContext === undefined
      ? []
      : [`  ${paint("cyan", "params._authContext")} of initialize: ${printable(JSON.stringify(authContext))}`]),
    token ? "  the token itself, too (MCP_FORWARD_AUTHORIZATION)" : "  and not the token"
  ]
}

/** Writes an explanation for people, without a line break at the end. */
export const render = (
  explanation: Explanation,
  { colour, width = Number.POSITIVE_INFINITY }: RenderOptions
): string => {
  const paint = painter(colour)
  const { outcome, server, steps } = explanation
  const forServer = server === "" ? [] : [`For the MCP server ${printable(server)}.`]
  return [
    `${headline(explanation, paint)}: ${block(outcome.detail, "  ", width - 24)}`,
    ...responseText(explanation),
    ...othersText(explanation),
    ...forServer,
    "",
    ...steps.flatMap((step) => stepLines(step, paint, width)),
    ...upstreamLines(explanation, paint)
  ].join("\n")
}
