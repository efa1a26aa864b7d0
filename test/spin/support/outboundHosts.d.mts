export const isAllowed: (entries: ReadonlyArray<string>, scheme: string, authority: string) => boolean
