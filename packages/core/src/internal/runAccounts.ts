import { type Budget, defaultWarnAt, type Mark, type StepBudget } from "../Budget.js"
import type { StepId } from "../Ids.js"
import type { Plan } from "../Plan.js"
import type * as Run from "../Run.js"
import * as Usage from "../Usage.js"
import { raisedOf, warningKey } from "./budgetFold.js"
import type { Budgets, Purse, RunAccounts } from "./budgets.js"
import * as Ledger from "./ledger.js"

type Scope = Pick<Mark, "scope" | "stepId">

/** What one run is charged to. */
export interface Accounts {
  /** The account that an attempt of a step is charged to, where something limits what it uses. */
  readonly chargedFor: (stepId: StepId) => Ledger.Account | undefined
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
  return found?.steps.get(parent.stepId) ?? found?.own ?? found?.above
}

/**
 * The accounts of a run as its recorded state leaves them, or `undefined` where nothing limits what it uses. A run that was
 * executed in this process before has those that it had, since its children may be charged to them. One that is an item of
 * another run is charged to it as well, from the moment on that this one has accounts.
 */
export const openAccounts = (plan: Plan, run: Run.Run, budgets: Budgets): Accounts | undefined => {
  const purse = budgets.purseOf(run.owner)
  const limited = plan.steps.flatMap(({ definition: { budget, id } }) =>
    budget?.tokens !== undefined || budget?.costMicroUsd !== undefined || budget?.wallMillis !== undefined
      ? [id]
      : []
  )
  const isLimited = run.budget !== undefined || purse !== undefined || limited.length > 0
  if (!isLimited && run.parent === undefined) return undefined

  const budgetOf = (stepId: StepId | undefined): Budget | StepBudget | undefined =>
    stepId === undefined
      ? run.budget
      : raisedOf(run, stepId, plan.steps[plan.indexOf(stepId) ?? -1]?.definition.budget)
  const scopes = new Map<Ledger.Account, Scope>()

  const open = (scope: Scope, usage: Usage.Usage, before: Ledger.Account | undefined): Ledger.Account => {
    const budget = budgetOf(scope.stepId) ?? {}
    const given = kinds.flatMap((dimension) => {
      const limit = budget[dimension]
      const told = limit !== undefined && run.warned.has(warningKey({ ...scope, dimension, limit }))
      return told ? [Ledger.warningOf(dimension, limit)] : []
    })
    const account = before ?? Ledger.makeAccount({ limits: budget, spent: amountsOf(usage), warned: given })
    account.limits = budget
    account.warnAt = budget.warnAt ?? defaultWarnAt
    scopes.set(account, scope)
    return account
  }

  const known = budgets.accounts.get(run.id)
  const own = run.budget === undefined ? undefined : open({ scope: "run" }, run.usage, known?.own)
  const steps = new Map<StepId, Ledger.Account>()
  for (const stepId of limited) {
    const usage = run.steps.get(stepId)?.usage ?? Usage.zero
    steps.set(stepId, open({ scope: "step", stepId }, usage, known?.steps.get(stepId)))
  }
  const accounts: RunAccounts = { own, steps, above: known?.above }
  budgets.accounts.set(run.id, accounts)

  const whole = () => own ?? accounts.above ?? purse?.account
  /** Puts what is above the accounts of the run in its place, which may come later than they do. */
  const link = (): void => {
    if (accounts.above === undefined) {
      accounts.above = aboveOf(run, budgets)
      // What a child has used is recorded with its parent only when it ends, but with its owner as soon as it is used.
      if (accounts.above !== undefined) {
        Ledger.charge(accounts.above, amountsOf(run.usage), purse?.account)
        budgets.charged.add(run.id)
      }
    }
    if (own !== undefined) Ledger.attach(own, accounts.above ?? purse?.account)
    for (const account of steps.values()) Ledger.attach(account, whole())
  }
  link()

  return {
    chargedFor: (stepId) => {
      if (run.parent !== undefined && accounts.above === undefined) link()
      return steps.get(stepId) ?? whole()
    },
    scopes,
    purse,
    budgetOf
  }
}
