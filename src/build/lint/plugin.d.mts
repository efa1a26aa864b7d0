/** Returns what to write in place of a word in this text, if a reader would stumble over one. */
export declare const wordProblem: (text: string) => string | undefined
