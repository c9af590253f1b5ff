import { AgentErrorKind } from "@switchyard/core/AgentErrorKind"
import { Json } from "@switchyard/core/Json"
import * as Schema from "effect/Schema"

const optional = <A, I>(schema: Schema.Schema<A, I>, description: string) =>
  Schema.optionalWith(schema, { exact: true }).annotations({ description })
const required = <A, I>(schema: Schema.Schema<A, I>, description: string) =>
  Schema.propertySignature(schema).annotations({ description })

/** What the standard output of a program is: text, one JSON value, or one JSON object per line. */
export const Format = Schema.Literal("text", "json", "jsonl")
export type Format = typeof Format.Type

const Value = Schema.Union(Schema.String, Schema.JsonNumber)

/**
 * What a record says of consumption. Amounts are numbers, lists of numbers, which are added up, or texts such as `2.1k` and
 * `$0.05`; `cachedTokens` are a part of `inputTokens`. `of` says what they count: the `attempt` up to here (the default), where
 * an amount that is not given stays what it was, or this `record` alone, where records with the same `key` in a row are told
 * the same again and count once.
 */
export const UsageRule = Schema.Struct({
  of: optional(
    Schema.Literal("attempt", "record"),
    "What the amounts count: the attempt so far (the default), or the record alone."
  ),
  key: optional(
    Schema.String,
    "With `of: record`: records with the same key in a row count once, the last of them."
  ),
  inputTokens: optional(Value, "Tokens that the model was given, those from a cache included."),
  outputTokens: optional(Value, "Tokens that the model gave."),
  cachedTokens: optional(Value, "Tokens of the input that came from a cache."),
  costUsd: optional(Value, "US dollars; where it is left out, the prices of the model are used.")
})
export type UsageRule = typeof UsageRule.Type

/** What a record says of an error. A result after it takes it back; an error after an error keeps what it does not say itself. */
export const ErrorRule = Schema.Struct({
  message: optional(Schema.String, "What went wrong."),
  kind: optional(
    AgentErrorKind,
    "Which kind of error it is; by default what `failures` and the exit code say."
  ),
  resetsAt: optional(
    Value,
    "When a limit is reset: seconds or milliseconds since 1970, a date, or a time of day."
  ),
  retryAfter: optional(Value, "How long to wait: seconds, or a duration such as 3h14m.")
})
export type ErrorRule = typeof ErrorRule.Type

/**
 * What to take from a record: every rule is applied whose condition holds, in their order. Texts are templates whose
 * expressions see the record as `item`, its number as `index` and what the result has come to so far as `acc` (null at first);
 * one that cannot be evaluated gives nothing. A record is an object of a line (`jsonl`), the whole value (`json`), or a line of
 * text as `item.line`, with the named groups of `pattern` beside it.
 */
export const RecordRule = Schema.Struct({
  when: optional(
    Schema.String,
    "The rule is for records for which this condition (CEL) holds; where it cannot be evaluated, it does not."
  ),
  pattern: optional(
    Schema.String,
    "Text only: the rule is for lines that match this regular expression, whose named groups are fields of `item`."
  ),
  progress: optional(Value, "How far the program is, 0 to 1."),
  message: optional(Schema.String, "What it does now; a list of texts is joined."),
  remainingMillis: optional(Value, "How much longer it takes, in milliseconds."),
  usage: optional(UsageRule, "What it has consumed."),
  result: optional(Json, "The result, or what it has come to; the last one counts."),
  error: optional(ErrorRule, "What went wrong."),
  recovered: optional(Schema.Literal(true), "That it goes on takes back what went wrong before."),
  ends: optional(
    Schema.Literal(true),
    "The output is whole with such a record; where a rule says so, there is no result without one."
  )
})
export type RecordRule = typeof RecordRule.Type

/**
 * What a failure means. The pattern is looked for in the error that the records gave, otherwise in the ends of the standard
 * error and the standard output; case does not matter. Its named groups `resetsAt` and `retryAfter` say when a limit is reset
 * or how long to wait. The first rule that fits counts, and none is asked where a program ended well and gave a result.
 */
export const FailureRule = Schema.Struct({
  kind: required(AgentErrorKind, "The kind of error that it is."),
  pattern: optional(Schema.String, "A regular expression that what the program said must match."),
  exitCodes: optional(
    Schema.NonEmptyArray(Schema.Int.pipe(Schema.between(1, 255))),
    "The exit code must be one of these."
  ),
  retryAfter: optional(
    Value,
    "How long to wait where the pattern does not say: seconds, or a duration such as 5m."
  )
})
export type FailureRule = typeof FailureRule.Type

/** How the output of a program is read: its format, what its records mean, and what its failures mean. */
export const OutputMapping = Schema.Struct({
  format: required(Format, "What the standard output is: text, one JSON value, or one JSON object per line."),
  records: optional(Schema.Array(RecordRule), "What to take from the records."),
  failures: optional(Schema.Array(FailureRule), "What failures mean; the first rule that fits counts.")
})
export type OutputMapping = typeof OutputMapping.Type
