/** The entry of one package in npm's output. */
interface LockEntry {
  readonly version?: string
  readonly integrity?: string
  readonly dev?: boolean
  readonly optional?: boolean
  readonly os?: ReadonlyArray<string>
  readonly libc?: ReadonlyArray<string>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>
}

/** `package-lock.json`, version 3: by the path of each package, `""` for the root. */
export interface LockFile {
  readonly packages: Readonly<Record<string, LockEntry>>
}

const needs = (entry: LockEntry): ReadonlyArray<string> => [
  ...Object.keys({ ...entry.dependencies, ...entry.devDependencies, ...entry.optionalDependencies }),
  ...Object.keys(entry.peerDependencies ?? {}).filter((name) => entry.peerDependenciesMeta?.[name]?.optional !== true)
]

/** The folders in which Node looks for what the package at `path` imports: its own first, the root's last. */
const above = (path: string): ReadonlyArray<string> => {
  const inner = path.lastIndexOf("/node_modules/")
  const rest = path === "" ? [] : above(inner < 0 ? "" : path.slice(0, inner))
  return [path === "" ? "node_modules/" : `${path}/node_modules/`, ...rest]
}

/**
 * The packages that others name and that have no entry, as `path: name`.
 *
 * `npm ci` rejects a lock file that lacks one, even where it is an optional package of another platform.
 */
export const missingEntries = ({ packages }: LockFile): ReadonlyArray<string> =>
  Object.entries(packages).flatMap(([path, entry]) =>
    needs(entry).filter((name) => !above(path).some((folder) => `${folder}${name}` in packages)).map((name) =>
      `${path}: ${name}`
    )
  )
