/** Returns the same module with its first global, the stack pointer of compiled C++, exported under this name. */
export declare const withStackPointer: (bytes: Uint8Array, name: string) => Uint8Array

/**
 * Returns the module with this memory as its initial one, and without these exports.
 *
 * What is below the stack pointer is the stack, of which nothing is kept.
 */
export declare const withMemory: (
  bytes: Uint8Array,
  memory: Uint8Array,
  stackPointer: number,
  initializers: ReadonlyArray<string>
) => Uint8Array
