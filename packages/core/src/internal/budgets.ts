import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { type Breach, defaultWarnAt, type OwnerBudget } from "../Budget.js"
import type * as EventLog from "../EventLog.js"
import type { RunId, StepId } from "../Ids.js"
import * as Run from "../Run.js"
import * as Usage from "../Usage.js"
import { makeSemaphore } from "./compat.js"
import * as Ledger from "./ledger.js"

/** What one owner may use, over all runs. */
export interface Purse {
  readonly account: Ledger.Account
  /** What a breach is answered with, where the host says so. */
  readonly onBreach: () => Breach["onBreach"] | undefined
  /** Calls back whenever the budget is another one, until what is given back is called. */
  readonly listen: (changed: () => void) => () => void
}

/** The accounts of one run, to which its children are charged as well. */
export interface RunAccounts {
  /** That of the run, where it has a budget. */
  readonly own: Ledger.Account | undefined
  /** Those of its steps that have budgets. */
  readonly steps: ReadonlyMap<StepId, Ledger.Account>
  /** That of the run, or the step of it, whose item this one is. */
  above: Ledger.Account | undefined
}

/** What the runs of a host share of their budgets. */
export interface Budgets {
  /** The accounts of runs that have not ended, as far as they have any. */
  readonly accounts: Map<RunId, RunAccounts>
  /** The children whose usage is charged to the runs that they belong to while they use it. */
  readonly charged: Set<RunId>
  /** The most that an attempt of each agent has used so far, as far as it counted. */
  readonly learnt: Map<string, Ledger.Known>
  /** What an owner may use, where there is a limit to it. */
  readonly purseOf: (owner: string | undefined) => Purse | undefined
}

/** No owner is limited. */
export const noBudgets = (): Budgets => ({
  accounts: new Map(),
  charged: new Set(),
  learnt: new Map(),
  purseOf: () => undefined
})

/** The budgets of a host, whose owners have them by their configuration. */
export interface HostBudgets extends Budgets {
  /** Has it known what an owner has used before, where that is limited; it must be done before a run of the owner begins. */
  readonly ready: (owner: string | undefined) => Effect.Effect<void, EventLog.EventLogError>
  /** Gives an owner another budget, or none. */
  readonly set: (
    owner: string,
    budget: OwnerBudget | undefined
  ) => Effect.Effect<void, EventLog.EventLogError>
}

/** What is recorded of an owner. */
interface Past {
  usage: Usage.Usage
  readonly warned: Array<string>
}

/** What owners have used according to the log, by one pass over it; it takes the memory of the runs that have not ended. */
const pastOf = (
  log: EventLog.Reader,
  owners: ReadonlySet<string>
): Effect.Effect<ReadonlyMap<string, Past>, EventLog.EventLogError> =>
  Effect.suspend(() => {
    const runs = new Map<RunId, Run.Run>()
    const found = new Map<string, Past>()
    const count = (run: Run.Run): void => {
      const { owner = "" } = run
      const past = found.get(owner) ?? { usage: Usage.zero, warned: [] }
      found.set(owner, past)
      past.usage = Usage.add(past.usage, Run.ownUsage(run))
    }
    const each = Stream.runForEach(log.read({}), (entry) =>
      Effect.sync(() => {
        const { event, runId } = entry
        if (event._tag === "RunRegistered" && (event.owner === undefined || !owners.has(event.owner))) return
        const known = runs.get(runId)
        const run = known ?? Run.register(entry)
        if (run === undefined) return
        if (known === undefined) runs.set(runId, run)
        else Run.apply(run, entry)
        if (event._tag === "BudgetWarning" && event.scope === "owner") {
          const past = found.get(run.owner ?? "") ?? { usage: Usage.zero, warned: [] }
          found.set(run.owner ?? "", past)
          past.warned.push(Ledger.warningOf(event.dimension, event.limit))
        }
        if (!Run.isTerminal(run.status)) return
        count(run)
        runs.delete(runId)
      })
    )
    return Effect.map(each, () => {
      for (const run of runs.values()) count(run)
      return found
    })
  })

/** The budgets of a host; the log is read once for all owners that have one, when the first run of one of them needs it. */
export const makeHostBudgets = (
  log: EventLog.Reader,
  configured: Readonly<Record<string, OwnerBudget>>
): Effect.Effect<HostBudgets> =>
  Effect.map(makeSemaphore(1), (reading) => {
    const budgets = new Map<string, OwnerBudget | undefined>(Object.entries(configured))
    const accounts = new Map<string, Ledger.Account>()
    const listeners = new Map<string, Set<() => void>>()

    const read = Effect.suspend(() => {
      const missing = new Set([...budgets.keys()].filter((owner) => !accounts.has(owner)))
      if (missing.size === 0) return Effect.void
      return Effect.map(pastOf(log, missing), (found) => {
        for (const owner of missing) {
          const budget = budgets.get(owner) ?? {}
          const { usage = Usage.zero, warned = [] } = found.get(owner) ?? {}
          const spent = { tokens: Usage.totalTokens(usage), costMicroUsd: usage.costMicroUsd }
          const warnAt = budget.warnAt ?? defaultWarnAt
          accounts.set(owner, Ledger.makeAccount({ limits: budget, warnAt, spent, warned }))
        }
      })
    })
    const isReady = (owner: string | undefined): boolean =>
      owner === undefined || !budgets.has(owner) || accounts.has(owner)
    const ready = (owner: string | undefined) =>
      Effect.suspend(() => (isReady(owner) ? Effect.void : reading.withPermits(1)(read)))

    const purseOf = (owner: string | undefined): Purse | undefined => {
      const account = owner === undefined ? undefined : accounts.get(owner)
      if (owner === undefined || account === undefined) return undefined
      return {
        account,
        onBreach: () => budgets.get(owner)?.onBreach,
        listen: (changed) => {
          const all = listeners.get(owner) ?? new Set()
          listeners.set(owner, all.add(changed))
          return () => all.delete(changed)
        }
      }
    }

    return {
      accounts: new Map(),
      charged: new Set(),
      learnt: new Map(),
      purseOf,
      ready,
      set: (owner, budget) =>
        Effect.zipRight(
          Effect.sync(() => budgets.set(owner, budget)),
          Effect.map(ready(owner), () => {
            const account = accounts.get(owner)
            if (account === undefined) return
            account.warnAt = budget?.warnAt ?? defaultWarnAt
            Ledger.limit(account, budget ?? {})
            for (const changed of listeners.get(owner) ?? []) changed()
          })
        )
    }
  })
