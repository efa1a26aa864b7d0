export interface CataloguedRequirement {
  readonly id: string
  /** Where it is demanded: a standard with its section, a page of the MCP specification, an advisory, or a README. */
  readonly source: string
  readonly text: string
  /** The files that test it, from the root of the project. */
  readonly files: ReadonlyArray<string>
}

export interface RequirementFamily {
  readonly family: string
  readonly about: string
  readonly requirements: ReadonlyArray<CataloguedRequirement>
}

/** The requirements of the published suites, by what is written in their code. */
export declare const suiteRequirements: () => ReadonlyArray<CataloguedRequirement>

/** Every family with its requirements, each with the files that test it. */
export declare const catalogue: () => ReadonlyArray<RequirementFamily>

/**
 * The ids that the files of `test/` and `src/` use, with the files: those that begin a title, and, anywhere in the code,
 * those of a family that the catalogue knows.
 */
export declare const usedIds: () => ReadonlyMap<string, ReadonlyArray<string>>

/** The catalogue as Markdown, one table for each family. */
export declare const catalogueReference: () => string
