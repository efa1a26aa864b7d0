/** Pieces that several sections of the page use. Pure. */
import { foreign, type Html, html, type Part } from "./html.ts"
import type { LastError } from "./Status.ts"
import type { Level } from "./troubles.ts"
import { relative } from "./words.ts"

/**
 * The states of servers, providers and the like. Each has a colour, a shape and a word, so that no one depends on the
 * colour.
 */
export type State = Level | "ok" | "idle"

const shapes: Readonly<Record<State, Html>> = {
  ok: html`<circle cx="8" cy="8" r="6.5"/><path class="cut" d="M4.8 8.3 7 10.5 11.2 5.8"/>`,
  idle: html`<circle class="hollow" cx="8" cy="8" r="5.75"/>`,
  warn: html`<path d="M8 1.2 15.4 14.4H.6Z"/><path class="cut" d="M8 6v3.6M8 11.7v.6"/>`,
  bad: html`<path d="M5.2 1.2h5.6l4 4v5.6l-4 4H5.2l-4-4V5.2Z"/><path class="cut" d="m5.6 5.6 4.8 4.8m0-4.8-4.8 4.8"/>`
}

/** The sign of a state. Hidden from screen readers, because a word is always next to it. */
export const sign = (state: State): Html =>
  html`<svg class="sign ${state}" viewBox="0 0 16 16" aria-hidden="true">${shapes[state]}</svg>`

/** A state in a word, with its sign. */
export const stateBadge = (state: State, text: string): Html =>
  html`<span class="state ${state}">${sign(state)}<span>${text}</span></span>`

/** The last error of a server or provider, and its time. */
export const lastErrorLine = (last: LastError | undefined, now: number): Html | undefined =>
  last === undefined
    ? undefined
    : html`<p class="last-error clamp"><span class="label">Last error</span> ${relative(last.at, now)}: ${
      foreign(last.detail ?? last.error)
    }</p>`

/** A section with its heading. Elements marked `live` are replaced when the page refreshes itself. */
export const section = (id: string, title: string, note: Part, content: Part): Html =>
  html`<section id="${id}" aria-labelledby="${id}-title" tabindex="-1">
<div class="heading"><h2 id="${id}-title">${title}</h2>${
    note === undefined ? undefined : html`<p class="note">${note}</p>`
  }</div>
${content}
</section>
`

/** A part of the page that is replaced when the page refreshes itself. */
export const live = (name: string, content: Part): Html => html`<div data-live="${name}">${content}</div>`

export interface Column {
  readonly title: string
  /** Numbers are aligned at their last digit. */
  readonly isNumber?: true
}

/**
 * A table in a frame that scrolls if it is too wide, also by keyboard.
 *
 * On narrow screens each row becomes a card. Roles are explicit, because browsers would otherwise drop those of a
 * table.
 */
export const table = (label: string, kind: string, columns: ReadonlyArray<Column>, rows: Part): Html =>
  html`<div class="scroll" role="region" aria-label="${label}" tabindex="0"><table class="${kind}" role="table" aria-label="${label}">
<thead role="rowgroup"><tr role="row">${
    columns.map(({ isNumber, title }) =>
      html`<th scope="col" role="columnheader"${isNumber === true && html` class="number"`}>${title}</th>`
    )
  }</tr></thead>
<tbody role="rowgroup">${rows}</tbody></table></div>`

/** A cell of a table, with the title of its column for narrow screens. */
export const cell = ({ isNumber, title }: Column, content: Part, kind = ""): Html =>
  html`<td role="cell" class="${
    isNumber === true && "number "
  }${kind}" data-label="${title}"><div>${content}</div></td>`

/** A pair of a definition list. */
export const fact = (term: string, value: Part): Html => html`<div><dt>${term}</dt><dd>${value}</dd></div>`
