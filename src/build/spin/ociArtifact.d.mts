interface Described {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
  readonly bytes: Uint8Array
}

export interface Artifact {
  readonly version: string
  readonly manifest: Described
  readonly blobs: ReadonlyArray<Described>
}

export const makeArtifact: (
  component: Uint8Array,
  about: { readonly epochSeconds?: number; readonly source?: string; readonly version: string }
) => Promise<Artifact>

export const writeLayout: (artifact: Artifact, directory: string) => Promise<void>

export const pushArtifact: (artifact: Artifact, repository: string, authorization?: string) => Promise<void>
