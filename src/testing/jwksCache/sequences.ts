/** Sequences of commands: any, and those that lead to where a defect would show. */
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import {
  Ask,
  AskFirst,
  AskNewest,
  AskUnknown,
  BeginOutage,
  BreakStore,
  type Command,
  integers,
  Recover,
  Restart,
  ServeForeignEntry,
  SetHealth,
  Wait,
  WaitLong,
  WaitOut
} from "./Command.ts"

/** Sequences of such commands; one that is named twice occurs twice as often. */
export const sequences = (
  commands: ReadonlyArray<Schema.Schema<Command>>,
  minLength: number,
  maxLength: number
): Arbitrary.Arbitrary<ReadonlyArray<Command>> =>
  Arbitrary.array(Arbitrary.schema(Schema.Union(commands)), { minLength, maxLength })

/** The same, from a provider in any health on. */
export const fromAnyHealth = (...sequence: Parameters<typeof sequences>): ReturnType<typeof sequences> =>
  Arbitrary.map(
    Arbitrary.all([Arbitrary.schema(SetHealth), sequences(...sequence)]),
    ([first, rest]) => [first, ...rest]
  )

/** A key that is published and used, withdrawn, and asked for again after a time in which the set may be fetched again. */
const withdrawal: Arbitrary.Arbitrary<ReadonlyArray<Command>> = Arbitrary.map(
  Arbitrary.schema(Schema.Struct({
    ask: Ask,
    unknown: AskUnknown,
    before: Wait,
    after: Schema.Union([Wait, WaitLong])
  })),
  ({ after, ask, before, unknown }) => [
    { _tag: "Renew", key: ask.key },
    ask,
    { _tag: "Withdraw", key: ask.key },
    before,
    { ...unknown, instance: ask.instance },
    after,
    ask
  ]
)

/** A key that is used, and asked for again while the provider is down and after that. */
const outage = (before: Schema.Schema<typeof Wait.Type>): Arbitrary.Arbitrary<ReadonlyArray<Command>> =>
  Arbitrary.map(
    Arbitrary.schema(
      Schema.Struct({
        ask: AskFirst,
        beginOutage: BeginOutage,
        before,
        unknown: AskUnknown,
        recover: Recover,
        after: Wait
      })
    ),
    ({ after, ask, before, beginOutage, recover, unknown }) => {
      const { instance } = ask
      return [ask, beginOutage, before, { ...unknown, instance }, ask, recover, after, ask]
    }
  )

/** A key that is published while the set that lacks it is in use. */
const rotation: Arbitrary.Arbitrary<ReadonlyArray<Command>> = Arbitrary.map(
  Arbitrary.schema(Schema.Struct({ ask: AskFirst, before: Wait, newest: AskNewest })),
  ({ ask, before, newest }) => [ask, before, { _tag: "Publish" }, { ...newest, instance: ask.instance }]
)

/** Unknown keys that many ask for, and soon others: of a set that is in use or has ended, of a provider in any health. */
const unknownKeyBurst: Arbitrary.Arbitrary<ReadonlyArray<Command>> = Arbitrary.map(
  Arbitrary.schema(Schema.Struct({
    ask: AskFirst,
    recover: Recover,
    before: Schema.Union([Wait, WaitLong]),
    health: Schema.Union([BeginOutage, Recover, Recover]),
    unknown: AskUnknown,
    count: Schema.Literals([1, 2, 20]),
    pause: Schema.TaggedStruct("Wait", { seconds: integers(1, 29) }),
    another: AskUnknown
  })),
  ({ another, ask, before, count, health, pause, recover, unknown }) => {
    const { instance } = ask
    return [recover, ask, before, health, { ...unknown, count, instance }, pause, { ...another, instance }]
  }
)

/** A store with two kinds of faults, and a cache that has to read it. */
const storeFailure: Arbitrary.Arbitrary<ReadonlyArray<Command>> = Arbitrary.map(
  Arbitrary.schema(
    Schema.Struct({ ask: AskFirst, restart: Restart, first: BreakStore, wait: Wait, second: BreakStore })
  ),
  ({ ask, first, restart, second, wait }) => [
    first,
    { ...restart, instance: ask.instance },
    ask,
    wait,
    second,
    ask
  ]
)

/** A store that misleads a cache that has to read it: another instance, or one whose set has expired. */
const corruption: Arbitrary.Arbitrary<ReadonlyArray<Command>> = Arbitrary.map(
  Arbitrary.schema(
    Schema.Struct({ ask: AskFirst, serveForeignEntry: ServeForeignEntry, anew: Schema.Boolean, wait: WaitLong })
  ),
  (
    { anew, ask, serveForeignEntry, wait }
  ) => [serveForeignEntry, anew ? { _tag: "Restart", instance: ask.instance } : wait, ask]
)

const between =
  (phrase: Arbitrary.Arbitrary<ReadonlyArray<Command>>) =>
  (commands: ReadonlyArray<Schema.Schema<Command>>): Arbitrary.Arbitrary<ReadonlyArray<Command>> =>
    Arbitrary.map(
      Arbitrary.array(Arbitrary.all([sequences(commands, 2, 8), phrase]), { minLength: 2, maxLength: 5 }),
      (parts) => parts.flat(2)
    )

/** Withdrawals, and such commands between them. */
export const withdrawals = between(withdrawal)

/** Outages, and such commands between them. */
export const outages = between(outage(Schema.Union([Wait, WaitLong])))

/** Outages most of which a set does not survive, and such commands between them. */
export const longOutages = between(outage(Schema.Union([WaitLong, WaitOut])))

/** Rotations, and such commands between them. */
export const rotations = between(rotation)

/** Intrusions, and such commands between them. */
export const unknownKeyBursts = between(unknownKeyBurst)

/** Troubles of the store, and such commands between them. */
export const storeFailures = between(storeFailure)

/** Deceptions, and such commands between them. */
export const corruptions = between(corruption)
