import type { Failure } from "../Event.js"
import type { StepState } from "../Run.js"
import type { Policies, Threshold } from "../WorkflowDefinition.js"

/** A step as far as the failures of its items go. */
interface Failing {
  readonly step: { readonly definition: Pick<Policies, "onItemFailure"> }
  readonly state: StepState
  readonly items: ReadonlyArray<unknown> | undefined
}

/** How many of so many items have to succeed. */
export const neededOf = ({ atLeast }: Threshold, items: number): number =>
  typeof atLeast === "number" ? atLeast : Math.ceil((items * Number.parseFloat(atLeast)) / 100 - 1e-9)

const firstFailure = ({ items }: StepState): Failure | undefined =>
  items.find((item) => item?.failure !== undefined)?.failure

const tooFew = (state: StepState, items: number, needed: number): Failure => {
  const first = firstFailure(state)
  const why = first === undefined ? "" : `; the first failure: ${first.message}`
  const message = `${state.failed} of its ${items} items failed, and at least ${needed} have to succeed${why}`
  return { kind: first?.kind ?? "Failed", message }
}

/** Why a step fails as soon as an item of it has failed, or `undefined` where it goes on. */
export const failureBy = ({ items = [], state, step }: Failing, failure: Failure): Failure | undefined => {
  const policy = step.definition.onItemFailure ?? "failStep"
  if (policy === "failStep") return failure
  if (policy === "continue") return undefined
  const needed = neededOf(policy, items.length)
  return items.length - state.failed < needed ? tooFew(state, items.length, needed) : undefined
}

/** Why a step fails whose items have all come to an end, or `undefined` where it succeeds. */
export const shortfall = ({ items = [], state, step }: Failing): Failure | undefined => {
  const policy = step.definition.onItemFailure
  if (typeof policy === "object") {
    const needed = neededOf(policy, items.length)
    return state.succeeded < needed ? tooFew(state, items.length, needed) : undefined
  }
  if (state.failed === 0 || state.succeeded > 0) return undefined
  const first = firstFailure(state)
  const message = `none of its ${state.totalItems} items succeeded; the first: ${first?.message ?? "unknown"}`
  return { kind: first?.kind ?? "Failed", message }
}
