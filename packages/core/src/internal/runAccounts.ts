import { type Budget, defaultWarnAt, type Mark, type StepBudget } from "../Budget.js"
import type { StepId } from "../Ids.js"
import type { Plan } from "../Plan.js"
import type * as Run from "../Run.js"
import * as Usage from "../Usage.js"
import { raisedOf, warningKey } from "./budgetFold.js"
import type { Budgets, Purse } from "./budgets.js"
import * as Ledger from "./ledger.js"

type Scope = Pick<Mark, "scope" | "stepId">

/** What one run is charged to. */
export interface Accounts {
  /** The account of the run, or what stands in its place where it has no budget of its own. */
  readonly whole: Ledger.Account | undefined
  readonly ofSteps: ReadonlyMap<StepId, Ledger.Account>
  /** The accounts that are the run's own, and what each is for. */
  readonly scopes: ReadonlyMap<Ledger.Account, Scope>
  readonly purse: Purse | undefined
  /** The budget of the run, or of a step, with the ceilings that it has now. */
  readonly budgetOf: (stepId: StepId | undefined) => Budget | StepBudget | undefined
}

/** What has been used, in the dimensions that can be reserved. */
export const amountsOf = (usage: Usage.Usage): Ledger.Amounts => ({
  tokens: Usage.totalTokens(usage),
  costMicroUsd: usage.costMicroUsd
})

const kinds = ["tokens", "costMicroUsd"] as const

const aboveOf = ({ parent }: Run.Run, { accounts }: Budgets): Ledger.Account | undefined => {
  if (parent === undefined) return undefined
  const found = accounts.get(parent.runId)
  return found?.steps.get(parent.stepId) ?? found?.whole
}

/**
 * The accounts of a run as its recorded state leaves them, or `undefined` where nothing limits what it uses. A run that was
 * executed in this process before has those that it had, since its children may be charged to them.
 */
export const openAccounts = (plan: Plan, run: Run.Run, budgets: Budgets): Accounts | undefined => {
  const purse = budgets.purseOf(run.owner)
  const above = aboveOf(run, budgets)
  const limited = plan.steps.flatMap(({ definition: { budget, id } }) =>
    budget?.tokens !== undefined || budget?.costMicroUsd !== undefined || budget?.wallMillis !== undefined
      ? [id]
      : []
  )
  const shared = above ?? purse?.account
  if (run.budget === undefined && shared === undefined && limited.length === 0) return undefined

  const budgetOf = (stepId: StepId | undefined): Budget | StepBudget | undefined =>
    stepId === undefined
      ? run.budget
      : raisedOf(run, stepId, plan.steps[plan.indexOf(stepId) ?? -1]?.definition.budget)
  const scopes = new Map<Ledger.Account, Scope>()
  const known = budgets.accounts.get(run.id)

  const open = (
    scope: Scope,
    usage: Usage.Usage,
    parent: Ledger.Account | undefined,
    before: Ledger.Account | undefined
  ): Ledger.Account => {
    const budget = budgetOf(scope.stepId) ?? {}
    const given = kinds.flatMap((dimension) => {
      const limit = budget[dimension]
      const told = limit !== undefined && run.warned.has(warningKey({ ...scope, dimension, limit }))
      return told ? [Ledger.warningOf(dimension, limit)] : []
    })
    const account =
      before ??
      Ledger.makeAccount({
        limits: budget,
        parent,
        warnAt: budget.warnAt ?? defaultWarnAt,
        spent: amountsOf(usage),
        warned: given
      })
    account.limits = budget
    account.warnAt = budget.warnAt ?? defaultWarnAt
    scopes.set(account, scope)
    return account
  }

  // What a child has used is recorded with its parent only when it ends.
  if (above !== undefined && known === undefined) Ledger.charge(above, amountsOf(run.usage))
  const own = known !== undefined && known.whole !== shared ? known.whole : undefined
  const whole = run.budget === undefined ? shared : open({ scope: "run" }, run.usage, shared, own)
  const steps = new Map<StepId, Ledger.Account>()
  for (const stepId of limited) {
    const usage = run.steps.get(stepId)?.usage ?? Usage.zero
    steps.set(stepId, open({ scope: "step", stepId }, usage, whole, known?.steps.get(stepId)))
  }
  budgets.accounts.set(run.id, { whole, steps })
  return { whole, ofSteps: steps, scopes, purse, budgetOf }
}
