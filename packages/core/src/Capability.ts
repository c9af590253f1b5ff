import * as Schema from "effect/Schema"
import {
  CapabilityType,
  doubt,
  type Mismatch,
  malformedType,
  mismatchesOf,
  noTypes,
  type TypeTable,
  typeText
} from "./CapabilityType.js"
import { ConstraintValue, malformed, quantity, satisfies } from "./Constraint.js"
import type { Json } from "./Json.js"

export { ConstraintValue, quantity, satisfies } from "./Constraint.js"

/**
 * Something an agent can do. `inputTypes` and `outputTypes` are names (`"cobol"`, `"text/markdown"`) or JSON Schemas; an empty
 * list accepts any. A higher `priority` is preferred before the score is weighed. For `constraints` see `satisfies`.
 */
export const Capability = Schema.Struct({
  skill: Schema.NonEmptyString,
  inputTypes: Schema.Array(CapabilityType),
  outputTypes: Schema.Array(CapabilityType),
  constraints: Schema.Record({ key: Schema.NonEmptyString, value: ConstraintValue }),
  priority: Schema.Int
})
export type Capability = typeof Capability.Type

/** A capability as a host writes it: everything but the skill is optional. */
export interface CapabilityInput {
  readonly skill: string
  readonly inputTypes?: ReadonlyArray<CapabilityType>
  readonly outputTypes?: ReadonlyArray<CapabilityType>
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
  inputType: Schema.optionalWith(CapabilityType, { exact: true }),
  outputType: Schema.optionalWith(CapabilityType, { exact: true }),
  constraints: Schema.optionalWith(Schema.Record({ key: Schema.NonEmptyString, value: ConstraintValue }), {
    exact: true
  })
})
export type CapabilityQuery = typeof CapabilityQuery.Type

/** Whether a set of capabilities answers a query, and if not, the first requirement that failed, in words. */
export type Match =
  | { readonly _tag: "Matched"; readonly capabilities: ReadonlyArray<Capability> }
  | { readonly _tag: "Rejected"; readonly stage: "skill" | "type" | "constraint"; readonly reason: string }

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

/** Whether one of the types will do, as far as that is certain; an input must be accepted, and an output be what is needed. */
const oneOf = (
  types: ReadonlyArray<CapabilityType>,
  type: CapabilityType | undefined,
  isInput: boolean,
  table: TypeTable
): string | undefined => {
  if (type === undefined || types.length === 0) return undefined
  let first: string | undefined
  for (const each of types) {
    const found = isInput ? doubt(type, each, table) : doubt(each, type, table)
    if (found === undefined) return undefined
    first ??= found
  }
  return first
}

/** Why the types of a capability are not what a query asks for. */
const misfit = (
  { inputTypes, outputTypes }: Capability,
  { inputType, outputType }: CapabilityQuery,
  table: TypeTable
): string | undefined =>
  oneOf(inputTypes, inputType, true, table) ?? oneOf(outputTypes, outputType, false, table)

/** What one required skill, or any skill, finds among the capabilities of an agent. */
interface Found {
  capable: boolean
  typed: boolean
  misfit: string | undefined
  /** The first that satisfies the constraints, one with both types before the others. */
  best: Capability | undefined
  bestFits: boolean
  reason: string | undefined
}

const findFor = (
  skill: string | undefined,
  capabilities: ReadonlyArray<Capability>,
  query: CapabilityQuery,
  table: TypeTable
): Found => {
  const found: Found = {
    capable: false,
    typed: false,
    misfit: undefined,
    best: undefined,
    bestFits: false,
    reason: undefined
  }
  for (const capability of capabilities) {
    if (skill !== undefined && capability.skill !== skill) continue
    found.capable = true
    const wrongType = misfit(capability, query, table)
    const fitting = wrongType === undefined
    found.misfit ??= wrongType
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

const wantedTypes = ({ inputType, outputType }: CapabilityQuery, why: string | undefined): string => {
  const from = inputType === undefined ? "any input" : typeText(inputType)
  const into = outputType === undefined ? "any output" : typeText(outputType)
  const isPlain = typeof inputType !== "object" && typeof outputType !== "object"
  const isNamed = isPlain && why !== undefined && !why.includes("JSON Schema")
  return `no capability of it turns ${from} into ${into}${isNamed || why === undefined ? "" : `: ${why}`}`
}

/**
 * Matches in the order skills, types, constraints. Every required skill needs a capability that satisfies the
 * constraints; input and output type must both hold on the *same* one of them. Without required skills any capability
 * may answer. The table says which named types extend which.
 */
export const match = (
  capabilities: ReadonlyArray<Capability>,
  query: CapabilityQuery,
  table: TypeTable = noTypes
): Match => {
  const all: Array<Found> = []
  for (const skill of query.requiredSkills) {
    const found = findFor(skill, capabilities, query, table)
    if (!found.capable)
      return { _tag: "Rejected", stage: "skill", reason: `it does not have the skill "${skill}"` }
    all.push(found)
  }
  if (all.length === 0) all.push(findFor(undefined, capabilities, query, table))
  if (!all.some(({ typed }) => typed)) {
    return { _tag: "Rejected", stage: "type", reason: wantedTypes(query, all[0]?.misfit) }
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

/** Why a capability cannot be declared, as a sentence; `undefined` where it can. */
export const malformedCapability = (capability: Capability): string | undefined => {
  for (const type of [...capability.inputTypes, ...capability.outputTypes]) {
    const wrong = malformedType(type)
    if (wrong !== undefined) return wrong
  }
  for (const [key, value] of Object.entries(capability.constraints)) {
    const wrong = malformed(key, value)
    if (wrong !== undefined) return wrong
  }
  return undefined
}

/** How many invocations at once an agent declares to be able to do, of a skill or of any; `undefined` where it has no limit. */
export const concurrencyOf = (
  capabilities: ReadonlyArray<Capability>,
  skill: string | undefined
): number | undefined => {
  const limits = capabilities.flatMap(({ constraints: { maxConcurrency }, ...capability }) => {
    const limit = maxConcurrency === undefined ? undefined : quantity(maxConcurrency)
    return limit === undefined || (skill !== undefined && capability.skill !== skill) ? [] : [limit]
  })
  return limits.length === 0 ? undefined : Math.min(...limits)
}

/** What of an actual input is not as the JSON Schemas of a capability say; nothing where it has none. */
export const inputMismatches = (
  { inputTypes }: Pick<Capability, "inputTypes">,
  input: Json
): ReadonlyArray<Mismatch> => mismatchesOf(inputTypes, input)

/** What of an actual output is not as the JSON Schemas of a capability say; nothing where it has none. */
export const outputMismatches = (
  { outputTypes }: Pick<Capability, "outputTypes">,
  output: Json
): ReadonlyArray<Mismatch> => mismatchesOf(outputTypes, output)
