import * as Schema from "effect/Schema"

/** How well an agent is; `Unknown` until something was seen of it. */
export const Health = Schema.Union(
  Schema.TaggedStruct("Unknown", {}),
  Schema.TaggedStruct("Healthy", {}),
  Schema.TaggedStruct("Degraded", { reason: Schema.String }),
  Schema.TaggedStruct("Unhealthy", { error: Schema.String })
)
export type Health = typeof Health.Type

/**
 * Whether an agent is given work: a `Closed` circuit gives it, an `Open` one gives none until a time, and a `HalfOpen` one
 * gives a single attempt, whose answer decides.
 */
export const Circuit = Schema.Literal("Closed", "Open", "HalfOpen")
export type Circuit = typeof Circuit.Type
