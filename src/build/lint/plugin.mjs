/**
 * Lint rules of this repository. `rooms` keeps the direction of dependencies between the folders of `src`.
 *
 * @module
 */
import { relative, resolve, sep } from "node:path"
import { fileURLToPath } from "node:url"

const src = fileURLToPath(new URL("../..", import.meta.url))

/**
 * The rooms in the order that a request passes them: a room may import those above it in this list, and itself. `decoding`
 * and `registry` are files of two rooms, see `floors`.
 */
const order = [
  "errors",
  "log",
  "trace",
  "identity",
  "fairness",
  "metrics",
  "message",
  "rules",
  "config",
  "credential",
  "remote",
  "keys",
  "verify",
  "providers",
  "decoding",
  "registry",
  "authorize",
  "limits",
  "forward",
  "upstream",
  "store",
  "audit",
  "facade",
  "discovery",
  "http",
  "explain",
  "admin",
  "doctor",
  "issuer",
  "embed",
  "testing",
  "spin",
  "node",
  "middleware"
]

/**
 * Files that use the provider types, which in turn use the rest of the same room: settings are decoded, described and checked
 * by provider type, and the services over all providers are built from these types.
 */
const floors = {
  decoding: [
    "config/GatewayConfig.ts",
    "config/GatewayConfigInput.ts",
    "config/checkUpstreamAuth.ts",
    "config/describe.ts",
    "config/fetchHosts.ts",
    "config/jsonSchema.ts",
    "config/providers/providerPairs.ts",
    "config/providers/providers.ts",
    "config/reference.ts",
    "config/resolve.ts",
    "config/servers/serverWarnings.ts",
    "config/servers/servers.ts",
    "config/shownKind.ts",
    "config/upstreamSettings.ts",
    "config/warnings.ts",
    "config/writtenTypes.ts"
  ],
  registry: ["verify/ProviderRegistry.ts", "verify/TokenVerifier.ts", "verify/VerifiedTokens.ts", "verify/layers.ts", "verify/prefixVerdicts.ts", "verify/replicaVerdicts.ts", "verify/verdictStore.ts"]
}

/** Earlier rooms that a room must not import nevertheless, and why. */
const barred = {
  message: { rooms: ["fairness"], why: "Reading a message needs no shares." },
  authorize: { rooms: ["remote", "keys", "verify", "providers", "registry"], why: "Authorization takes an identity, never a token." },
  forward: {
    rooms: ["credential", "remote", "keys", "verify", "providers", "registry"],
    why: "Forwarding takes an admission, never a token."
  },
  discovery: {
    rooms: ["remote", "keys", "verify", "registry", "authorize", "forward"],
    why: "Discovery documents are made of settings, and of what provider types say about them."
  },
  issuer: { rooms: order.slice(order.indexOf("credential"), order.indexOf("explain") + 1), why: "The test issuer knows nothing of the gateway." },
  testing: { rooms: ["embed"], why: "The suites test the layers, not one way of embedding them." },
  spin: { rooms: ["issuer", "embed", "testing"], why: "The Spin component carries only what it runs." },
  node: { rooms: ["embed", "testing"], why: "The program carries only what it runs." },
  middleware: { rooms: ["testing", "spin"], why: "A middleware carries only what it runs." }
}

const serverModule = /^effect\/http\/(HttpServer(Request|Response|Error)?|Http(Router|Middleware|Effect))$/
const pure = new Set(["errors", "log", "identity", "fairness", "metrics", "message", "rules", "config", "decoding", "credential", "authorize", "discovery"])
const httpRooms = ["http", "admin", "embed", "testing", "spin", "node", "middleware"]

/** What only some rooms may import from outside of `src`, and why. */
const outside = [
  {
    matches: (name) => /^(effect|effect\/[a-z-]+|@effect\/platform-node)$/.test(name),
    rooms: [],
    why: "Import the module, not the barrel."
  },
  {
    matches: (name) => /^jose(\/|$)/.test(name),
    rooms: ["keys", "verify", "issuer", "testing"],
    why: "Only the rooms of keys and tokens know jose."
  },
  {
    matches: (name) => name.startsWith("@bufbuild/"),
    rooms: ["rules"],
    why: "Only the room of rules knows CEL."
  },
  {
    matches: (name) => /^(node:|undici$|@effect\/platform-node\/)/.test(name),
    rooms: ["node", "middleware", "issuer", "testing", "build", "main.ts"],
    why: "Only the entry points know the platform."
  },
  {
    matches: (name) => serverModule.test(name),
    rooms: httpRooms,
    why: "Only the HTTP stage holds requests, responses and status codes."
  },
  {
    matches: (name) => name.startsWith("effect/http/"),
    rooms: order.filter((room) => !pure.has(room)),
    why: "A pure room knows nothing of HTTP messages."
  }
]

const floorOf = new Map(Object.entries(floors).flatMap(([floor, files]) => files.map((file) => [file, floor])))

const roomOf = (file) => {
  const path = relative(src, file).split(sep)
  return floorOf.get(path.join("/")) ?? path[0]
}

/** Why `room` must not import `specifier`; `undefined` where it may. */
const objection = (room, file, specifier) => {
  if (!specifier.startsWith(".")) {
    return outside.find(({ matches, rooms }) => matches(specifier) && !rooms.includes(room))?.why
  }
  const target = roomOf(resolve(file, "..", specifier))
  if (target === room) return undefined
  if (!order.includes(target)) return target === "version.ts" || room === "main.ts" ? undefined : "The entry points are imported by nobody."
  if (!order.includes(room)) {
    return room === "index.ts" && ["issuer", "testing", "spin", "node", "middleware"].includes(target) ? "The library carries no program." : undefined
  }
  const exception = barred[room]
  if (exception?.rooms.includes(target)) return exception.why
  return order.indexOf(target) < order.indexOf(room)
    ? undefined
    : `\`${room}\` comes before \`${target}\` on the way of a request and must not know it.`
}

/** Keeps imports in the direction of a request's way: see `order`, `barred` and `outside`. */
const rooms = {
  create(context) {
    const file = context.filename ?? context.getFilename()
    const path = relative(src, file)
    if (path.startsWith("..")) return {}
    const room = roomOf(file)
    const check = (node) => {
      if (typeof node.source?.value !== "string") return
      const why = objection(room, file, node.source.value)
      if (why !== undefined) context.report({ node: node.source, message: why })
    }
    return { ImportDeclaration: check, ExportNamedDeclaration: check, ExportAllDeclaration: check, ImportExpression: check }
  }
}

/** Words that readers stumble over, and what to write instead. */
const words = [
  [/\banswer/iu, "response, respond"],
  [/\brefus(?!ed to connect)/iu, "reject, deny, invalid"],
  [/\bjudg/iu, "check, verify, decide"],
  [/\bhand(?:s|ed|ing)? on\b/iu, "forward"],
  [/(?<!there )\b(?:is|are) none\b/u, "is not a …"],
  [/\bwhoever\b|\bthose who\b/iu, "name them: clients that, callers that"],
  [/\bsomebody\b/iu, "anyone, someone"],
  [/\bnobody(?:'s)? \w/iu, "no one, no client, no caller"],
  [/\bwhatever\b/iu, "regardless of, any"],
  [/\bbeside\b/iu, "besides, in addition to, next to"],
  [/\b(?:cures?|mends?|mended)\b/iu, "fix"],
  [/\bpatience\b/iu, "timeout"],
  [/\bletGo\b|\blets? go\b/u, "discard, release"],
  [/\boverlook/iu, "ignore"],
  [/\bcomplain/iu, "report, problem"],
  [/\b(?:befall|misfortune)/iu, "fault, failure"],
  [/\ball the same\b|\bmay well\b|\bmeanwhile\b/iu, "say it plainly, or leave it out"],
  [/\bconnects? anew\b/iu, "reconnect"],
  [/^\W*(?:Says|Tells) (?:whether|what|how|why)\b/u, "Returns whether …, or a noun phrase"]
]

/** Error codes of network libraries, and a state of providers that operators know. */
const permitted = /ECONNREFUSED|Connection ?Refused|await ?Refused|connections? refused|refused connections?|^refused\/?$|`refused`/giu

/** Returns what to write in place of a word in this text, if a reader would stumble over one. */
export const wordProblem = (text) => {
  const checked = text.replaceAll(permitted, "")
  const found = words.find(([pattern]) => pattern.test(checked))
  return found && `Write "${found[1]}" in place of "${found[0].exec(checked)?.[0].trim()}".`
}

/** Files whose words are checked: sources and tests, without those that are about the words. */
const isWorded = (path) => /^(?:src|test)\//.test(path) && !/^(?:src\/build|test)\/lint\//.test(path)

const root = fileURLToPath(new URL("../../..", import.meta.url))

/** Keeps the field's words in comments, names and texts. */
const fieldWords = {
  create(context) {
    const file = context.filename ?? context.getFilename()
    if (!isWorded(relative(root, file).split(sep).join("/"))) return {}
    const report = (text, where) => {
      const message = wordProblem(text)
      if (message !== undefined) context.report({ ...where, message })
    }
    return {
      Program() {
        for (const comment of context.sourceCode.getAllComments()) report(comment.value, { loc: comment.loc })
      },
      Identifier(node) {
        if (!node.name.match(permitted)) report(node.name.replaceAll(/(?<=[a-z0-9])(?=[A-Z])/gu, " "), { node })
      },
      Literal(node) {
        if (typeof node.value === "string" && !node.value.startsWith(".")) report(node.value, { node })
      },
      TemplateElement(node) {
        report(node.value.cooked ?? "", { node })
      }
    }
  }
}

/** Whether the type of a value is written with it: as the return type of a function, or of a generator in a call. */
const saysType = (value) => {
  switch (value?.type) {
    case "ArrowFunctionExpression":
      return value.returnType != null
    case "CallExpression":
      return value.arguments.some(({ returnType, type }) => type === "FunctionExpression" && returnType != null)
    case "Identifier":
    case "MemberExpression":
      return true
    default:
      return false
  }
}

/** Values that programs are composed of. */
const composed = /^(?:layer|make(?:With)?$)/

/** Demands the written type of layers, and of what makes services: a change of their needs or errors shows in review. */
const layerTypes = {
  create(context) {
    const file = context.filename ?? context.getFilename()
    if (relative(src, file).startsWith("..")) return {}
    const check = (node, name, annotation, value) => {
      if (name === undefined || !composed.test(name) || annotation != null || saysType(value)) return
      context.report({ node, message: `Write the type of \`${name}\`: what it provides, its errors, and what it needs.` })
    }
    return {
      ExportNamedDeclaration({ declaration }) {
        if (declaration?.type !== "VariableDeclaration") return
        for (const { id, init } of declaration.declarations) {
          if (id.name?.startsWith("layer")) check(id, id.name, id.typeAnnotation, init)
        }
      },
      PropertyDefinition({ key, static: isStatic, typeAnnotation, value }) {
        if (isStatic) check(key, key.name, typeAnnotation, value)
      }
    }
  }
}

export default { meta: { name: "house" }, rules: { rooms, words: fieldWords, layerTypes } }
