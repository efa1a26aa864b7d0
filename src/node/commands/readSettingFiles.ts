import * as Effect from "effect/Effect"
import { constants } from "node:fs"
import { open } from "node:fs/promises"
import { filesToRead, type Sources } from "../../config/resolve.ts"
import type { FileContent } from "../../config/sources/settingFiles.ts"
import { errorCode } from "../errorCode.ts"

/** Larger than any secret, key or list of providers. */
const maxBytes = 1_048_576

const fix = "Name a readable file that contains only the value"

const read = async (path: string): Promise<FileContent> => {
  // Without O_NONBLOCK, opening a pipe without a writer would wait for one.
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  try {
    const found = await file.stat()
    if (found.isDirectory()) return { problem: "is a directory", fix }
    if (!found.isFile()) return { problem: "is not a regular file", fix }
    if (found.size > maxBytes) return { problem: `is longer than ${maxBytes} bytes`, fix }
    const text = new TextDecoder("utf-8", { fatal: true }).decode(await file.readFile())
    const line = text.replace(/\r?\n$/, "")
    return line.trim() === "" ? { problem: "is empty", fix } : { text: line }
  } finally {
    await file.close()
  }
}

/** Reads a file without its final line break, or returns the problem. */
const readSettingFile = (path: string): Effect.Effect<FileContent> =>
  Effect.tryPromise({
    try: () => read(path),
    catch: (error): FileContent =>
      error instanceof TypeError && errorCode(error) === "ERR_ENCODING_INVALID_ENCODED_DATA"
        ? { problem: "is not UTF-8 text", fix }
        : { problem: `cannot be read (${errorCode(error)})`, fix }
  }).pipe(Effect.catch(Effect.succeed))

/** Reads all files that settings name (`MCP_CLIENT_SECRET_FILE`, `client_secret_file`, …), each once. */
export const readSettingFiles = Effect.fnUntraced(function*(sources: Sources): Effect.fn.Return<Sources> {
  const files: Record<string, FileContent> = Object.create(null)
  const known = { ...sources, files }
  for (let paths = filesToRead(known); paths.length > 0; paths = filesToRead(known)) {
    for (const path of paths) files[path] = yield* readSettingFile(path)
  }
  return known
})
