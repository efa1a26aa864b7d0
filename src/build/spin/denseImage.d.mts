/** The initial memory of a module: bytes with data, and bytes from the first page with data to the last. */
export interface MemoryImage {
  readonly filled: number
  readonly span: number
  readonly segments: number
  /** Whether hosts map it into each instance instead of copying it. */
  readonly isDense: boolean
}

/** Returns the component or module with its memory images made dense. Dense ones are unchanged. */
export declare const denseImage: (bytes: Uint8Array) => Uint8Array

/** Returns the memory images of a component, or of a module. */
export declare const imagesOf: (bytes: Uint8Array) => ReadonlyArray<MemoryImage>
