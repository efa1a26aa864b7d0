/** The prompts and resources for the scenarios of `@modelcontextprotocol/conformance`. */
import { type Content, embedded, image, png, text } from "./content.ts"

interface ConformancePrompt {
  readonly listed: { readonly description: string; readonly arguments?: Array<{ name: string; required: boolean }> }
  readonly contents: (args: Readonly<Record<string, string>>) => ReadonlyArray<Content>
}

const required = (name: string) => ({ name, required: true })

const prompts: Readonly<Record<string, ConformancePrompt>> = {
  test_simple_prompt: {
    listed: { description: "One text" },
    contents: () => [text("This is a simple prompt for testing.")]
  },
  test_prompt_with_arguments: {
    listed: { description: "A text made of two arguments", arguments: [required("arg1"), required("arg2")] },
    contents: ({ arg1, arg2 }) => [text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)]
  },
  test_prompt_with_embedded_resource: {
    listed: { description: "A resource", arguments: [required("resourceUri")] },
    contents: ({ resourceUri }) => [
      embedded(resourceUri ?? "", "Embedded resource content for testing."),
      text("Please process the embedded resource above.")
    ]
  },
  test_prompt_with_image: {
    listed: { description: "An image" },
    contents: () => [image, text("Please analyze the image above.")]
  }
}

export const promptList = () => Object.entries(prompts).map(([name, { listed }]) => Object.assign({ name }, listed))

/** The messages of a prompt; `undefined` if it does not exist. */
export const getPrompt = (name: string, args: Readonly<Record<string, string>> = {}) =>
  prompts[name]?.contents(args).map((content) => ({ role: "user" as const, content }))

export const resources = [
  { uri: "test://static-text", name: "static-text", description: "A text", mimeType: "text/plain" },
  { uri: "test://static-binary", name: "static-binary", description: "An image", mimeType: "image/png" },
  { uri: "test://watched-resource", name: "watched-resource", description: "A text to watch", mimeType: "text/plain" }
]

export const resourceTemplates = [
  { uriTemplate: "test://template/{id}/data", name: "template", description: "JSON", mimeType: "application/json" }
]

const template = /^test:\/\/template\/([^/]+)\/data$/

/** The contents of a resource; `undefined` if it does not exist. */
export const readResource = (uri: string) => {
  switch (uri) {
    case "test://static-text":
      return { uri, mimeType: "text/plain", text: "This is the content of the static text resource." }
    case "test://static-binary":
      return { uri, mimeType: "image/png", blob: png }
    case "test://watched-resource":
      return { uri, mimeType: "text/plain", text: "Watched." }
    default: {
      const id = template.exec(uri)?.[1]
      const value = { id, templateTest: true, data: `Data for ID: ${id}` }
      return id === undefined ? undefined : { uri, mimeType: "application/json", text: JSON.stringify(value) }
    }
  }
}

export const complete = (prefix: string) => ({
  completion: { values: ["test", "testing"].filter((value) => value.startsWith(prefix)) }
})
