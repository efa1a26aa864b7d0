/** Sequences of commands: arbitrary ones, and those that lead to situations in which a defect would show. */
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

/** Sequences of these commands. A command that is named twice is twice as likely. */
export const sequences = (
  commands: ReadonlyArray<Schema.Schema<Command>>,
  minLength: number,
  maxLength: number
): Arbitrary.Arbitrary<ReadonlyArray<Command>> =>
  Arbitrary.array(Arbitrary.schema(Schema.Union(commands)), { minLength, maxLength })

/** The same, starting with a provider in any state. */
export const fromAnyHealth = (...sequence: Parameters<typeof sequences>): ReturnType<typeof sequences> =>
  Arbitrary.map(
    Arbitrary.all([Arbitrary.schema(SetHealth), sequences(...sequence)]),
    ([first, rest]) => [first, ...rest]
  )

/**
 * A key that is published and used, withdrawn, and looked up again after a time in which the set may be fetched again.
 */
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

/** A key that is used, and looked up again during an outage of the provider and after it. */
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

/** Lookups of unknown keys by many callers, and soon after of others, for fresh or expired sets and any provider. */
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

/** A store that fails in two ways, and a cache that has to read it. */
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

/** A store that lies to a cache that has to read it: another instance, or one whose set has expired. */
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

/** Withdrawals, with other commands in between. */
export const withdrawals = between(withdrawal)

/** Outages, with other commands in between. */
export const outages = between(outage(Schema.Union([Wait, WaitLong])))

/** Outages that most sets do not outlast, with other commands in between. */
export const longOutages = between(outage(Schema.Union([WaitLong, WaitOut])))

/** A key that is withdrawn after an outage that is over: what the outage was good for must be over, too. */
const lateWithdrawal: Arbitrary.Arbitrary<ReadonlyArray<Command>> = Arbitrary.map(
  Arbitrary.schema(Schema.Struct({
    ask: Ask,
    beginOutage: BeginOutage,
    during: Schema.Union([Wait, WaitLong]),
    unknown: AskUnknown,
    recover: Recover,
    after: WaitLong,
    last: WaitLong
  })),
  ({ after, ask, beginOutage, during, last, recover, unknown }) => {
    const { instance } = ask
    return [
      { _tag: "Renew", key: ask.key },
      ask,
      beginOutage,
      during,
      { ...unknown, instance },
      ask,
      recover,
      { _tag: "Wait", seconds: 60 },
      ask,
      { _tag: "Withdraw", key: ask.key },
      after,
      ask,
      last,
      ask
    ]
  }
)

/** Withdrawals after outages, with other commands in between. */
export const lateWithdrawals = between(lateWithdrawal)

/** Rotations, with other commands in between. */
export const rotations = between(rotation)

/** Bursts of unknown keys, with other commands in between. */
export const unknownKeyBursts = between(unknownKeyBurst)

/** Store failures, with other commands in between. */
export const storeFailures = between(storeFailure)

/** Corruptions of the store, with other commands in between. */
export const corruptions = between(corruption)
