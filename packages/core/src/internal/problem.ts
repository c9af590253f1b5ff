import * as Schema from "effect/Schema"

/** One thing that is wrong with a definition: where (`steps[2].after[0]`), which rule, what to do about it. */
export const Problem = Schema.Struct({
  path: Schema.String,
  rule: Schema.Literal(
    "shape",
    "unknown",
    "empty",
    "duplicate",
    "dependency",
    "cycle",
    "work",
    "expression",
    "reference",
    "parameter",
    "type",
    "unreachable",
    "forEach",
    "group",
    "capability",
    "compensation",
    "budget",
    "permission"
  ),
  message: Schema.String
})
export type Problem = typeof Problem.Type

/** Takes note of a problem. */
export type Report = (path: string, rule: Problem["rule"], message: string) => void
