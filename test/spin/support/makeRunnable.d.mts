/** Translates the component in a file to modules for Node, in a directory that `host.mjs` takes. */
export declare const makeRunnable: (component: string, directory: string) => Promise<void>
