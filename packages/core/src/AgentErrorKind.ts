import * as Schema from "effect/Schema"

/**
 * What can go wrong in an agent, by what to do about it: `RateLimited`, `QuotaExhausted`, `Unavailable`, `Timeout`, `Crashed` and
 * `InvalidOutput` are worth repeating; `InvalidInput`, `Unauthorized`, `ContextTooLong`, `PermissionDenied`, `NotFound`
 * and `Failed` are not.
 */
export const AgentErrorKind = Schema.Literal(
  "RateLimited",
  "QuotaExhausted",
  "Unavailable",
  "Timeout",
  "Crashed",
  "InvalidOutput",
  "InvalidInput",
  "Unauthorized",
  "ContextTooLong",
  "PermissionDenied",
  "NotFound",
  "Failed"
)
export type AgentErrorKind = typeof AgentErrorKind.Type

const retryable: ReadonlySet<AgentErrorKind> = new Set<AgentErrorKind>([
  "RateLimited",
  "QuotaExhausted",
  "Unavailable",
  "Timeout",
  "Crashed",
  "InvalidOutput"
])

/** Whether the same attempt may succeed later, unless somebody knows better. */
export const isRetryable = (kind: AgentErrorKind): boolean => retryable.has(kind)
