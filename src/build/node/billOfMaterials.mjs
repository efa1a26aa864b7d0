const purlOf = ({ name, version }) => `pkg:npm/${name.replace("@", "%40")}@${version}`

/** A single licence is named by its SPDX id, several of them by an expression. */
const licensesOf = (license) =>
  license.includes(" ") ? [{ expression: license.replace(/^\((.*)\)$/, "$1") }] : [{ license: { id: license } }]

/** The digest of the package in the lock file. */
const hashesOf = (integrity) =>
  integrity === undefined
    ? {}
    : { hashes: [{ alg: "SHA-512", content: Buffer.from(integrity.replace(/^sha512-/, ""), "base64").toString("hex") }] }

const describe = (type, manifest) => {
  const [group, name] = manifest.name.startsWith("@") ? manifest.name.split("/") : [undefined, manifest.name]
  return {
    type,
    "bom-ref": purlOf(manifest),
    ...(group === undefined ? {} : { group }),
    name,
    version: manifest.version,
    licenses: licensesOf(manifest.license),
    purl: purlOf(manifest)
  }
}

/**
 * The software bill of materials (CycloneDX 1.6) of a program that consists of these packages.
 *
 * The same packages result in the same text. It has a time only if `SOURCE_DATE_EPOCH` is set.
 */
export const billOfMaterials = (program, packages, lock, epoch) => {
  const components = packages.map(({ folder, manifest }) => ({
    ...describe("library", manifest),
    ...hashesOf(lock.packages[folder.slice(folder.indexOf("node_modules/"))]?.integrity)
  }))
  const refs = new Map(packages.map(({ manifest }) => [manifest.name, purlOf(manifest)]))
  const needs = ({ dependencies, optionalDependencies, peerDependencies }) =>
    Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })
      .flatMap((name) => refs.get(name) ?? [])
      .toSorted()
  const bill = {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      ...(epoch === undefined ? {} : { timestamp: new Date(Number(epoch) * 1000).toISOString() }),
      component: describe("application", program)
    },
    components,
    dependencies: [
      { ref: purlOf(program), dependsOn: needs(program) },
      ...packages.map(({ manifest }) => ({ ref: purlOf(manifest), dependsOn: needs(manifest) }))
    ]
  }
  return `${JSON.stringify(bill, undefined, 2)}\n`
}
