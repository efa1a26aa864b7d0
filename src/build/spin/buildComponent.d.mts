export const buildComponent: (entry: string, output: string, worldName?: string) => Promise<number>
