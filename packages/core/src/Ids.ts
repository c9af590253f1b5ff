import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"

/** Letters, digits, `.`, `_` and `-`, beginning with a letter or digit, without `..`: safe as one path segment. */
const safe = /^(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/

const id = <const Name extends string>(name: Name) =>
  Schema.String.pipe(
    Schema.pattern(safe, {
      identifier: name,
      message: ({ actual }) =>
        `${JSON.stringify(actual)} is not a valid ${name}: use 1 to 128 letters, digits, ".", "_" or "-", beginning with a letter or digit, without ".."`
    }),
    Schema.brand(name)
  )

/** Names a run; sortable by time of creation when generated, and always safe as a directory name. */
export const RunId = id("RunId")
export type RunId = typeof RunId.Type

/** Stands in the place of a run where the log records what concerns itself; no run can have it. */
export const logId = "switchyard.log" as RunId

/** Names a step within its workflow. */
export const StepId = id("StepId")
export type StepId = typeof StepId.Type

/** Names an agent within a registry. */
export const AgentId = id("AgentId")
export type AgentId = typeof AgentId.Type

/** Names one command to a run: sending the same id again is answered, not executed again. */
export const CommandId = id("CommandId")
export type CommandId = typeof CommandId.Type

/** The position of an entry in the whole log: it begins at 1, grows by exactly 1, and never changes its meaning. */
export const Seq = Schema.NonNegativeInt.pipe(Schema.brand("Seq"))
export type Seq = typeof Seq.Type

/** The place before the first entry: following from here means following from the beginning. */
export const origin = 0 as Seq

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"

const digits = (value: number, length: number): string => {
  let text = ""
  for (let rest = value, i = 0; i < length; i++) {
    text = alphabet[rest % 32] + text
    rest = Math.floor(rest / 32)
  }
  return text
}

/**
 * A fresh id of 26 characters: 48 bits of time, then 80 bits of randomness, in Crockford's base 32 and lower case
 * (the ULID layout, https://github.com/ulid/spec), so that ids sort by the millisecond they were made in.
 */
export const generate: Effect.Effect<string> = Effect.gen(function* () {
  const time = yield* Clock.currentTimeMillis
  let text = digits(time, 10)
  for (let i = 0; i < 4; i++) text += digits(yield* Random.nextIntBetween(0, 2 ** 20), 4)
  return text
})

/** A fresh run id. */
export const generateRunId: Effect.Effect<RunId> = Effect.map(generate, (text) => RunId.make(text))

/** A fresh command id. */
export const generateCommandId: Effect.Effect<CommandId> = Effect.map(generate, (text) =>
  CommandId.make(text)
)
