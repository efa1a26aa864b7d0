/** The Keycloak that the suite runs: fetched from Maven Central once, and built for the way in which it is started. */
import { execFile } from "node:child_process"
import { mkdir, mkdtemp, rename, rm, stat } from "node:fs/promises"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"

const version = "26.7.3"

const archive = `keycloak-quarkus-dist-${version}.tar.gz`

// Keycloak exchanges identity assertions only with these.
const features = "jwt-authorization-grant,identity-assertion-jwt"

const home = fileURLToPath(new URL(`../../node_modules/.cache/keycloak/${version}-assertions`, import.meta.url))

const run = async (command: string, ...args: ReadonlyArray<string>): Promise<void> => {
  await promisify(execFile)(command, args, { timeout: 600_000 }).catch(
    (error: Error & { readonly stdout?: string }) => {
      throw new Error(`${command} failed: ${error.message}\n${error.stdout ?? ""}`, { cause: error })
    }
  )
}

const fetchInto = async (folder: string): Promise<void> => {
  await run(
    "mvn",
    "--batch-mode",
    "--quiet",
    "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy",
    `-Dartifact=org.keycloak:keycloak-quarkus-dist:${version}:tar.gz`,
    `-DoutputDirectory=${folder}`
  )
  await run("tar", "-xzf", join(folder, archive), "-C", folder, "--strip-components=1")
  await rm(join(folder, archive))
}

/**
 * The folder of a Keycloak that keeps its data in memory and needs no build when it starts.
 *
 * Needs `java` (17 or newer), `mvn` and `tar` on the PATH; throws where one is missing or fails.
 */
export const distribution = async (): Promise<string> => {
  const exists = await stat(home).then(() => true, () => false)
  if (exists) return home
  await mkdir(dirname(home), { recursive: true })
  const unfinished = await mkdtemp(`${home}.`)
  try {
    await fetchInto(unfinished)
    await run(join(unfinished, "bin", "kc.sh"), "build", "--db=dev-mem", `--features=${features}`)
    // A rename is atomic: the folder appears complete.
    await rename(unfinished, home)
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true })
    throw error
  }
  return home
}
