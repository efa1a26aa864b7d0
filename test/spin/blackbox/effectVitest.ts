/** In place of `@effect/vitest`: the same, without the tests that do not apply to the component. */
import { it as itOfAll, layer as layerOfAll } from "@effect/vitest"
import { isSpin } from "../support/hostPrograms.ts"
import { notApplicable } from "./notApplicable.ts"

export * from "@effect/vitest"

const left = notApplicable(isSpin ? "Spin" : "the test host")

type Callable = (...args: Array<never>) => unknown

/** The same function, with all that hangs on it, but deaf to the names of tests that do not apply. */
const unlessListed = <F extends object>(register: F): F =>
  new Proxy(register, {
    get: (target, property) => {
      const member: unknown = Reflect.get(target, property)
      return typeof member === "function" ? unlessListed(member) : member
    },
    // A proxy of a function; its handler knows only objects.
    apply: (target, self, args: ReadonlyArray<unknown>) =>
      left.has(String(args[0])) ? undefined : Reflect.apply(target as Callable, self, args)
  })

export const it = unlessListed(itOfAll)

export const layer: typeof layerOfAll = (layer, options) =>
  new Proxy(layerOfAll(layer, options), {
    apply: (suite, self, args: ReadonlyArray<unknown>) =>
      Reflect.apply(
        suite,
        self,
        args.map((arg) => typeof arg === "function" ? (methods: object): unknown => arg(unlessListed(methods)) : arg)
      )
  })
