import type { Metadata } from "@switchyard/core/Agent"
import type { CapabilityInput } from "@switchyard/core/Capability"
import type { Permission } from "@switchyard/core/Permission"
import type { FailureRule } from "../OutputMapping.js"
import type { ToolFields } from "./toolSchema.js"

/** A tool that is described already. */
export interface WellKnownTool {
  readonly definition: ToolFields
  readonly capabilities: ReadonlyArray<CapabilityInput>
  readonly metadata: Partial<Metadata>
  /** What a run has to grant it beside `Execute`. */
  readonly requires: ReadonlyArray<Permission>
}

const coding = (models: ToolFields["models"]): ReadonlyArray<CapabilityInput> =>
  ["coding", "code-review", "code-explanation"].map((skill) => ({
    skill,
    constraints: { needsNetwork: true, ...(models === undefined ? {} : { model: Object.keys(models) }) }
  }))

/** A tool with what all of these have in common. */
export const tool = (name: string, description: string, definition: ToolFields): WellKnownTool => ({
  definition,
  capabilities: coding(definition.models),
  metadata: { name, description, tags: ["coding", "cli"] },
  requires: ["Network", "InvokeModel"]
})

/** What tools need that find their configuration and their network as they do in a shell. */
export const usual = [
  "PATH",
  "HOME",
  "USER",
  "LANG",
  "TMPDIR",
  "HTTPS_PROXY",
  "HTTP_PROXY",
  "NO_PROXY",
  "SSL_CERT_FILE",
  "NODE_EXTRA_CA_CERTS"
]

const field = (of: string, name: string): string => `(has(${of}.${name}) ? [${of}.${name}] : [])`
/** The sum of those fields of an object that are there. */
export const sum = (of: string, ...names: ReadonlyArray<string>): string =>
  `{{ ${names.map((name) => field(of, name)).join(" + ")} }}`

/** What providers answer, as tools pass it on. */
export const providerFailures: ReadonlyArray<FailureRule> = [
  {
    kind: "QuotaExhausted",
    pattern: "insufficient_quota|exceeded your current quota|credit balance is too low"
  },
  { kind: "RateLimited", pattern: "retry[-_ ]after\\W{0,4}(?<retryAfter>\\d[\\d.]*)" },
  {
    kind: "RateLimited",
    pattern:
      "(?:rate.?limit|too many requests|\\b429\\b)[^\\n]*?(?:try again|retry) in (?<retryAfter>\\d[\\d.]*\\s?[a-z]+)"
  },
  { kind: "RateLimited", pattern: "rate.?limit|too many requests|\\b429\\b" },
  {
    kind: "Unauthorized",
    pattern:
      "invalid (?:x-)?api[- _]key|incorrect api key|authentication.?(?:error|failed)|unauthorized|not logged in|\\b401\\b"
  },
  {
    kind: "ContextTooLong",
    pattern: "prompt is too long|context.?window|context.?length|maximum context|too many tokens"
  },
  {
    kind: "Unavailable",
    pattern:
      "overloaded|internal server error|service unavailable|bad gateway|\\b(?:500|502|503|529)\\b|ECONNRESET|ETIMEDOUT"
  }
]
