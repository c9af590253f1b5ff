import * as Schema from "effect/Schema"

/** A declared limit or property, or what a step needs of it: a number, a flag, a text such as `"10MB"` or `"5m"`, or a list. */
export const ConstraintValue = Schema.Union(
  Schema.Boolean,
  Schema.JsonNumber,
  Schema.String,
  Schema.Array(Schema.String)
)
export type ConstraintValue = typeof ConstraintValue.Type

/**
 * Something an agent can do. `inputTypes` and `outputTypes` are names (`"cobol"`, `"text/markdown"`); an empty list
 * accepts any. A higher `priority` is preferred before anything else is weighed. For `constraints` see `satisfies`.
 */
export const Capability = Schema.Struct({
  skill: Schema.NonEmptyString,
  inputTypes: Schema.Array(Schema.NonEmptyString),
  outputTypes: Schema.Array(Schema.NonEmptyString),
  constraints: Schema.Record({ key: Schema.NonEmptyString, value: ConstraintValue }),
  priority: Schema.Int
})
export type Capability = typeof Capability.Type

/** A capability as a host writes it: everything but the skill is optional. */
export interface CapabilityInput {
  readonly skill: string
  readonly inputTypes?: ReadonlyArray<string>
  readonly outputTypes?: ReadonlyArray<string>
  readonly constraints?: Readonly<Record<string, ConstraintValue>>
  readonly priority?: number
}

/** The full form of a capability: no types means any type, no constraint means no limit, priority 0. */
export const make = (input: CapabilityInput): Capability => ({
  skill: input.skill,
  inputTypes: input.inputTypes ?? [],
  outputTypes: input.outputTypes ?? [],
  constraints: input.constraints ?? {},
  priority: input.priority ?? 0
})

/** What a step asks of an agent: every required skill, and types and constraints that hold on one of its capabilities. */
export const CapabilityQuery = Schema.Struct({
  requiredSkills: Schema.Array(Schema.NonEmptyString),
  inputType: Schema.optionalWith(Schema.NonEmptyString, { exact: true }),
  outputType: Schema.optionalWith(Schema.NonEmptyString, { exact: true }),
  constraints: Schema.optionalWith(Schema.Record({ key: Schema.NonEmptyString, value: ConstraintValue }), {
    exact: true
  })
})
export type CapabilityQuery = typeof CapabilityQuery.Type

/** Whether a set of capabilities answers a query, and if not, the first requirement that failed, in words. */
export type Match =
  | { readonly _tag: "Matched"; readonly capabilities: ReadonlyArray<Capability> }
  | { readonly _tag: "Rejected"; readonly stage: "skill" | "type" | "constraint"; readonly reason: string }

const units: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
  ms: 1,
  s: 1e3,
  m: 6e4,
  min: 6e4,
  h: 3.6e6,
  d: 8.64e7
}

/**
 * The number that a constraint stands for: `10`, `"10MB"` (bytes, decimal; `MiB` binary) or `"5m"` (milliseconds);
 * `undefined` when it is not a quantity.
 */
export const quantity = (value: ConstraintValue): number | undefined => {
  if (typeof value === "number") return value
  if (typeof value !== "string") return undefined
  const match = /^\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*$/.exec(value)
  if (match === null) return undefined
  const unit = match[2] === undefined || match[2] === "" ? 1 : units[match[2].toLowerCase()]
  return unit === undefined ? undefined : Number(match[1]) * unit
}

const show = (value: ConstraintValue): string => JSON.stringify(value)

/**
 * Why a declared constraint does not allow what is needed, or `undefined` when it does. By the name of the key:
 *
 * - `max…` and `min…` bound the needed quantity, inclusive; an agent that declares no bound has none;
 * - `needs…` says that the agent depends on something: it is rejected only where the step says `false`;
 * - any other key must be declared and be equal, or, where either side is a list, have everything needed in it.
 */
export const satisfies = (
  key: string,
  declared: ConstraintValue | undefined,
  needed: ConstraintValue
): string | undefined => {
  if (/^(max|min)(?=[A-Z_-])/.test(key)) {
    if (declared === undefined) return undefined
    const bound = quantity(declared)
    const value = quantity(needed)
    if (bound === undefined) return `${key} is declared as ${show(declared)}, which is not a quantity`
    if (value === undefined) return `${key} is needed as ${show(needed)}, which is not a quantity`
    if (key.startsWith("max"))
      return value <= bound ? undefined : `${key} is ${show(declared)}, needed ${show(needed)}`
    return value >= bound ? undefined : `${key} is ${show(declared)}, needed ${show(needed)}`
  }
  if (/^needs(?=[A-Z_-])/.test(key)) {
    return needed === false && declared === true
      ? `${key} is true, but the step does not offer it`
      : undefined
  }
  if (declared === undefined) return `${key} is not declared, needed ${show(needed)}`
  const offered = Array.isArray(declared) ? declared : [declared]
  const wanted = Array.isArray(needed) ? needed : [needed]
  const missing = wanted.filter((value) => !offered.includes(value))
  return missing.length === 0 ? undefined : `${key} is ${show(declared)}, needed ${show(needed)}`
}

const accepts = (types: ReadonlyArray<string>, type: string | undefined): boolean =>
  type === undefined || types.length === 0 || types.includes(type)

/** The first declared constraint that does not allow what the query needs, in words. */
const violation = (capability: Capability, { constraints }: CapabilityQuery): string | undefined => {
  if (constraints === undefined) return undefined
  for (const key of Object.keys(constraints)) {
    const needed = constraints[key]
    const found = needed === undefined ? undefined : satisfies(key, capability.constraints[key], needed)
    if (found !== undefined) return found
  }
  return undefined
}

const fits = (capability: Capability, { inputType, outputType }: CapabilityQuery): boolean =>
  accepts(capability.inputTypes, inputType) && accepts(capability.outputTypes, outputType)

/** What one required skill, or any skill, finds among the capabilities of an agent. */
interface Found {
  capable: boolean
  typed: boolean
  /** The first that satisfies the constraints, one with both types before the others. */
  best: Capability | undefined
  bestFits: boolean
  reason: string | undefined
}

const findFor = (
  skill: string | undefined,
  capabilities: ReadonlyArray<Capability>,
  query: CapabilityQuery
): Found => {
  const found: Found = { capable: false, typed: false, best: undefined, bestFits: false, reason: undefined }
  for (const capability of capabilities) {
    if (skill !== undefined && capability.skill !== skill) continue
    found.capable = true
    const fitting = fits(capability, query)
    found.typed ||= fitting
    const wrong = violation(capability, query)
    if (wrong !== undefined) found.reason ??= wrong
    else if (found.best === undefined || (fitting && !found.bestFits)) {
      found.best = capability
      found.bestFits = fitting
    }
  }
  return found
}

/**
 * Matches in the order skills, types, constraints. Every required skill needs a capability that satisfies the
 * constraints; input and output type must both hold on the *same* one of them. Without required skills any capability
 * may answer.
 */
export const match = (capabilities: ReadonlyArray<Capability>, query: CapabilityQuery): Match => {
  const all: Array<Found> = []
  for (const skill of query.requiredSkills) {
    const found = findFor(skill, capabilities, query)
    if (!found.capable)
      return { _tag: "Rejected", stage: "skill", reason: `it does not have the skill "${skill}"` }
    all.push(found)
  }
  if (all.length === 0) all.push(findFor(undefined, capabilities, query))
  if (!all.some(({ typed }) => typed)) {
    const types = `${query.inputType ?? "any input"} into ${query.outputType ?? "any output"}`
    return { _tag: "Rejected", stage: "type", reason: `no capability of it turns ${types}` }
  }
  const matched: Array<Capability> = []
  let reason: string | undefined
  for (const found of all) {
    reason ??= found.reason
    if (found.best === undefined)
      return { _tag: "Rejected", stage: "constraint", reason: reason ?? "it declares no capability" }
    matched.push(found.best)
  }
  return all.some(({ bestFits }) => bestFits)
    ? { _tag: "Matched", capabilities: matched }
    : {
        _tag: "Rejected",
        stage: "constraint",
        reason: reason ?? "no capability has both types and constraints"
      }
}

/** What ranking weighs for one candidate; latency in milliseconds, cost in millionths of a US dollar per invocation. */
export interface TrackRecord {
  readonly successes: number
  readonly failures: number
  readonly meanLatencyMillis: number | undefined
  readonly meanCostMicroUsd: number | undefined
}

/** How a score came about: each factor lies between 0 and 1, and `score` is their weighted sum. */
export interface Score {
  readonly score: number
  readonly success: number
  readonly latency: number
  readonly cost: number
}

/**
 * Scores a candidate. `success` is the mean of a Beta(2, 1) prior updated by what was observed, so that an agent without
 * history is judged 2/3; latency and cost fall off hyperbolically, halving at 30 s and at 0.10 USD. What is not known yet
 * counts as if it were the best, so that a new agent gets its chance before one that often fails.
 */
export const score = (record: TrackRecord): Score => {
  const success = (record.successes + 2) / (record.successes + record.failures + 3)
  const latency = record.meanLatencyMillis === undefined ? 1 : 30_000 / (30_000 + record.meanLatencyMillis)
  const cost = record.meanCostMicroUsd === undefined ? 1 : 100_000 / (100_000 + record.meanCostMicroUsd)
  return { score: 0.7 * success + 0.2 * latency + 0.1 * cost, success, latency, cost }
}
