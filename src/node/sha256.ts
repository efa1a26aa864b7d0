import { hash } from "node:crypto"

/** Node's digest for `Sha256`: in this thread, because handing a token to another thread and back takes far longer. */
export const sha256 = (text: string): string => hash("sha256", text, "hex")
