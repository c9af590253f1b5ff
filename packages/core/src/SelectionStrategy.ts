import * as Schema from "effect/Schema"

/**
 * How one of several capable agents is chosen. Whatever the strategy, agents that are busy to the limit they declare come
 * after those that are not, and what is equal is ordered by priority, score and id.
 *
 * - `best-match`: by priority, then by score; the default;
 * - `least-loaded`: by what the agent has under way at the moment;
 * - `cheapest`: by the cost of an invocation as observed, then by the cost class that the capability declares;
 * - `fastest`: by the time a success took as observed;
 * - `sticky`: the agent that was named, as long as it is a candidate, otherwise as `best-match`.
 */
export const SelectionStrategy = Schema.Literal("best-match", "least-loaded", "cheapest", "fastest", "sticky")
export type SelectionStrategy = typeof SelectionStrategy.Type
