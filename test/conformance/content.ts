/** The smallest contents of each kind. */

export const text = (value: string) => ({ type: "text" as const, text: value })

/** A PNG of one red pixel. */
export const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR42mP4z8AAAAMBAQD3A0FDAAAAAElFTkSuQmCC"

export const image = { type: "image" as const, data: png, mimeType: "image/png" }

// The header of a WAV file without samples: PCM, one channel, 8 kHz, 8 bits.
const wav = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA="

export const audio = { type: "audio" as const, data: wav, mimeType: "audio/wav" }

export const embedded = (uri: string, value: string, mimeType = "text/plain") => ({
  type: "resource" as const,
  resource: { uri, mimeType, text: value }
})

export type Content = ReturnType<typeof text> | typeof image | typeof audio | ReturnType<typeof embedded>

/** The result of a tool call. */
export interface Reply {
  readonly [member: string]: unknown
  readonly content: Array<Content>
  readonly isError?: boolean
}

export const response = (...content: Array<Content>): Reply => ({ content })
