export interface DeclaredSetting {
  readonly name: string
  readonly isSecret: boolean
}

export const manifestsWith: (
  settings: ReadonlyArray<DeclaredSetting>,
  read: (path: string) => string
) => Readonly<Record<string, string>>

export const writeManifests: (settings: ReadonlyArray<DeclaredSetting>) => void
