/** The paths of the status page, as rows of the admin port's table. */
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Option from "effect/Option"
import type { AdminRoute } from "../AdminRoute.ts"
import { AdminSource, type TokenQuestion } from "../AdminSource.ts"
import { StatusBoard } from "../StatusBoard.ts"
import { type Asset, assets, pageFields } from "./assets.ts"
import { readFilter } from "./decisions.ts"
import type { Explained } from "./explainForm.ts"
import { page } from "./page.ts"

/** The longest form: a token may be as long as `MCP_MAX_TOKEN_BYTES` permits at most, percent-encoded. */
const maxFormBytes = 256n * 1024n

/** The maximum lengths of the names of a method and a tool in the form. */
const longestName = 256

const queryOf = (url: string): URLSearchParams => {
  const mark = url.indexOf("?")
  return new URLSearchParams(mark === -1 ? "" : url.slice(mark + 1))
}

const asHtml = (text: string, status = 200) =>
  HttpServerResponse.text(text, { status, contentType: "text/html; charset=utf-8", headers: pageFields })

const asJson = (value: unknown, status = 200) =>
  HttpServerResponse.text(JSON.stringify(value), { status, contentType: "application/json" })

const renderPage = Effect.fnUntraced(function*(explained: Explained | undefined, query: URLSearchParams) {
  const [board, source] = [yield* StatusBoard, yield* AdminSource]
  const [status, entries] = yield* Effect.all([board.status, source.decisions], { concurrency: "unbounded" })
  return String(page({ status, entries, filter: readFilter(query), explained }))
})

const pageRoute: AdminRoute = {
  method: "GET",
  path: "/",
  respond: Effect.gen(function*() {
    const { url } = yield* HttpServerRequest.HttpServerRequest
    return asHtml(yield* renderPage(undefined, queryOf(url)))
  })
}

const statusRoute: AdminRoute = {
  method: "GET",
  path: "/status.json",
  respond: Effect.gen(function*() {
    return asJson(yield* (yield* StatusBoard).status)
  })
}

const decisionsRoute: AdminRoute = {
  method: "GET",
  path: "/decisions.json",
  respond: Effect.gen(function*() {
    return asJson(yield* (yield* AdminSource).decisions)
  })
}

/** The contents of a form; a string if the form is invalid: the reason. */
const readForm = (fields: URLSearchParams): TokenQuestion | string => {
  const token = fields.get("token") ?? ""
  if (token.trim() === "") return "There is no token in the form."
  const [method, tool] = ["method", "tool"].map((name) => (fields.get(name) ?? "").trim())
  if ([method, tool].some((name) => (name ?? "").length > longestName)) return "The method or the tool is too long."
  return {
    token,
    server: fields.get("server") ?? "",
    ...(method === undefined || method === "" ? {} : { method }),
    ...(tool === undefined || tool === "" ? {} : { tool })
  }
}

const isForm = (type: string | undefined): boolean => /^application\/x-www-form-urlencoded *(?:;|$)/i.test(type ?? "")

const formOf = Effect.gen(
  function*(): Effect.fn.Return<string | undefined, never, HttpServerRequest.HttpServerRequest> {
    const request = yield* HttpServerRequest.HttpServerRequest
    if (!isForm(request.headers["content-type"])) return undefined
    return yield* request.text.pipe(
      Effect.provideService(HttpServerRequest.MaxBodySize, maxFormBytes),
      Effect.option,
      Effect.map(Option.getOrUndefined)
    )
  }
)

const unusable = (problem: string, status: number) => ({ outcome: { _tag: "Unusable" as const, problem }, status })

/** Explains the token of a form. Neither the form nor an error about it is logged. */
const explained = Effect.gen(function*(): Effect.fn.Return<
  { readonly outcome: Explained; readonly status: number },
  never,
  AdminSource | HttpServerRequest.HttpServerRequest
> {
  const form = yield* formOf
  if (form === undefined) {
    return unusable("The form is too long, or is not application/x-www-form-urlencoded.", 400)
  }
  const question = readForm(new URLSearchParams(form))
  if (typeof question === "string") return unusable(question, 400)
  const explanation = yield* (yield* AdminSource).explain(question)
  return explanation === undefined
    ? unusable("No MCP server has this name, or no process of the gateway replied in time.", 503)
    : { outcome: { _tag: "Explained", explanation }, status: 200 }
})

const wantsHtml = (accept: string | undefined): boolean => /\btext\/html\b/.test(accept ?? "")

const explainRoute: AdminRoute = {
  method: "POST",
  path: "/explain",
  respond: Effect.gen(function*() {
    const { headers } = yield* HttpServerRequest.HttpServerRequest
    const { outcome, status } = yield* explained
    if (wantsHtml(headers["accept"])) return asHtml(yield* renderPage(outcome, new URLSearchParams()), status)
    return outcome._tag === "Explained" ? asJson(outcome.explanation) : asJson({ error: outcome.problem }, status)
  })
}

const assetRoute = ([path, { body, type }]: readonly [string, Asset]): AdminRoute => ({
  method: "GET",
  path: `/${path.slice(1)}`,
  respond: Effect.succeed(HttpServerResponse.text(body, { contentType: type, headers: pageFields }))
})

export const pageRoutes: ReadonlyArray<AdminRoute> = [
  pageRoute,
  statusRoute,
  decisionsRoute,
  explainRoute,
  ...Object.entries(assets).map(assetRoute)
]
