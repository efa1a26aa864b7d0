export const spin: (
  args: ReadonlyArray<string>,
  options?: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> }
) => Promise<string>

export interface RunningSpin {
  readonly origin: string
  readonly stop: () => Promise<void>
}

export const up: (
  options: {
    readonly args: ReadonlyArray<string>
    readonly port: number
    readonly cwd?: string
    readonly variables?: Readonly<Record<string, string>>
    readonly env?: Readonly<Record<string, string>>
    readonly onOutput?: (text: string) => void
  }
) => Promise<RunningSpin>
