import * as Effect from "effect/Effect"
import { type Breach, explain, type Mark } from "../Budget.js"
import type { Event, Failure } from "../Event.js"
import type { AgentId, RunId, StepId } from "../Ids.js"
import type { Plan } from "../Plan.js"
import * as Run from "../Run.js"
import type * as Usage from "../Usage.js"
import { warningKey } from "./budgetFold.js"
import type { Budgets } from "./budgets.js"
import { async, type Fork } from "./compat.js"
import { isCompensation } from "./compensationPlan.js"
import * as Ledger from "./ledger.js"
import { amountsOf, openAccounts } from "./runAccounts.js"
import { makeWallBudget } from "./wallBudget.js"

/** What the budget of a run says to its coordinator. */
export interface BudgetSignals {
  readonly emit: (event: Event) => void
  readonly now: () => number
  readonly fork: Fork
  /** Whether it has been decided how the run ends. */
  readonly isEnding: () => boolean
  /** Interrupts one item, or all that is under way in a step, or in the run. */
  readonly interrupt: (stepId?: StepId, index?: number) => void
  /** A budget is exceeded; the answer to it is asked for in turn. */
  readonly breached: (breach: Breach) => void
  /** Fails a step, or the run. */
  readonly fail: (failure: Failure, stepId?: StepId) => void
  /** The owner has another budget. */
  readonly ownerChanged: () => void
}

/** An attempt that is to be made. */
export interface Attempt {
  readonly stepId: StepId
  readonly index: number
  readonly priority: number
  readonly agentId: AgentId
}

/** Takes note of what one attempt uses. */
export interface Spending {
  /** What it has used so far. */
  readonly report: (usage: Usage.Usage) => void
  /** What it has used in all, once its answer is known. */
  readonly answered: (usage: Usage.Usage, succeeded: boolean) => void
}

/** What a run under way may use, over all its steps. */
export interface RunBudget {
  /** Makes an attempt once there is enough for it. While the run is to stop it is interrupted instead, to be made later. */
  readonly within: <A>(
    attempt: Attempt,
    make: (spending: Spending | undefined) => Effect.Effect<A>
  ) => Effect.Effect<A>
  /** Takes note of what an item has used that is a run, where that was not charged while it was used. */
  readonly childEnded: (stepId: StepId, childId: RunId, usage: Usage.Usage) => void
  /** Whether so few items of a step wait for enough that more may join them. */
  readonly hasRoom: (stepId: StepId) => boolean
  /** Has those that wait for enough wait outside of the run. */
  readonly turnBack: () => void
  /** Fails what a breach is to fail. */
  readonly answer: (breach: Breach) => void
  /** Takes note of the ceilings that the run has now. */
  readonly raised: () => void
  /** Lets a run go on that stood still because of what its owner may use, once that is more. */
  readonly relieve: () => void
  /** Takes note that a step is under way. */
  readonly opened: (stepId: StepId) => void
  /** Has the clocks run while the run does. */
  readonly start: () => void
  readonly stop: () => void
  /** Leaves what others share. */
  readonly close: () => void
}

interface Waiting {
  readonly stepId: StepId
  readonly refuse: () => void
  /** Asks for nothing any more, and waits to be refused. */
  readonly park: () => void
}

/** Items of one step that may wait for enough at once; the others wait where they need no memory. */
const mostWaiting = 64

/** The greater of what is known, by dimension; nothing used is news only of an attempt that succeeded. */
const learnt = (known: Ledger.Known, used: Ledger.Amounts, succeeded: boolean): Ledger.Known => {
  const most = (kind: Ledger.Kind) =>
    succeeded || used[kind] > 0 ? Math.max(known[kind] ?? 0, used[kind]) : known[kind]
  return { tokens: most("tokens"), costMicroUsd: most("costMicroUsd") }
}

/** What the items of a step that succeeded show of how much an attempt may use. */
const recorded = ({ items }: Run.StepState): Ledger.Known =>
  items.reduce<Ledger.Known>(
    (known, item) => (item?.status === "Succeeded" ? learnt(known, amountsOf(item.usage), true) : known),
    {}
  )

/** The budget of a run as its recorded state leaves it, or `undefined` where nothing limits what it uses. */
export const makeRunBudget = (
  plan: Plan,
  run: Run.Run,
  budgets: Budgets,
  signals: BudgetSignals
): RunBudget | undefined => {
  const accounts = openAccounts(plan, run, budgets)
  if (accounts === undefined) return undefined
  const { budgetOf, chargedFor, purse, scopes } = accounts

  const undoes = new Set(
    plan.steps.flatMap(({ definition }) => (isCompensation(definition) ? [definition.id] : []))
  )
  const waiting = new Set<Waiting>()
  const queued = new Map<StepId, number>()
  const queue = (waiter: Waiting): void => {
    waiting.add(waiter)
    queued.set(waiter.stepId, (queued.get(waiter.stepId) ?? 0) + 1)
  }
  const unqueue = (waiter: Waiting): void => {
    if (waiting.delete(waiter)) queued.set(waiter.stepId, (queued.get(waiter.stepId) ?? 1) - 1)
  }
  const known = new Map<StepId, Ledger.Known>()
  /** The ceilings that fail their step or the run. */
  const fatal = new Set<string>()

  const policyOf = ({ scope, stepId }: Mark): Breach["onBreach"] =>
    (scope === "owner" ? purse?.onBreach() : budgetOf(stepId)?.onBreach) ?? "pause"

  const mayRecord = (): boolean => Run.next(run, "BudgetExceeded") !== undefined

  const warned = (mark: Mark): void => {
    if (mayRecord()) signals.emit({ _tag: "BudgetWarning", ...mark })
  }

  const refuse = (which: (stepId: StepId) => boolean): void => {
    for (const each of waiting) if (which(each.stepId)) each.refuse()
  }

  /** Has those wait for this run to stand still, or to end, that wait for enough. */
  const park = (): void => {
    for (const each of waiting) each.park()
  }

  const breached = (mark: Mark): void => {
    const onBreach = policyOf(mark)
    const pauses = onBreach === "pause"
    const key = warningKey(mark)
    if (mayRecord() && !signals.isEnding() && (pauses ? run.breach === undefined : !fatal.has(key))) {
      if (!pauses) fatal.add(key)
      const breach: Breach = { ...mark, onBreach }
      signals.emit({ _tag: "BudgetExceeded", ...breach })
      signals.breached(breach)
    }
    refuse((stepId) => pauses || mark.scope !== "step" || stepId === mark.stepId)
  }

  const markOf = (account: Ledger.Account, dimension: Ledger.Kind): Mark => ({
    ...(scopes.get(account) ?? { scope: "owner" }),
    dimension,
    limit: account.limits[dimension] ?? 0,
    spent: account.spent[dimension]
  })

  const party: Ledger.Party = {
    warned: (account, kind) => warned(markOf(account, kind)),
    exceeded: (account, kind) => {
      // The run that it belongs to stops, and has this one stand still or end with it; until then nothing more begins.
      if (account !== purse?.account && !scopes.has(account)) park()
      else breached(markOf(account, kind))
      if (!Ledger.isExceeded(account, kind)) return
      for (const hold of account.holds) if (hold.party === party) hold.stop()
    }
  }

  for (const account of scopes.keys()) account.keeper = party

  const wall = makeWallBudget(run, budgetOf, signals.fork, signals.now, {
    warned,
    exceeded: (mark) => {
      breached(mark)
      signals.interrupt(mark.stepId)
    }
  })

  const knownOf = (stepId: StepId): Ledger.Known => {
    const found = known.get(stepId) ?? recorded(run.steps.get(stepId) ?? Run.pendingStep())
    known.set(stepId, found)
    return found
  }

  const learn = ({ agentId, stepId }: Attempt, usage: Usage.Usage, succeeded: boolean): Ledger.Amounts => {
    const used = amountsOf(usage)
    known.set(stepId, learnt(knownOf(stepId), used, succeeded))
    budgets.learnt.set(agentId, learnt(budgets.learnt.get(agentId) ?? {}, used, succeeded))
    return used
  }

  const estimate = ({ agentId, stepId }: Attempt): Ledger.Known => {
    const said = plan.steps[plan.indexOf(stepId) ?? -1]?.definition.budget?.estimate
    const [here, elsewhere] = [knownOf(stepId), budgets.learnt.get(agentId)]
    const of = (kind: Ledger.Kind) => {
      const seen = here[kind] ?? (said?.[kind] === undefined ? elsewhere?.[kind] : undefined)
      return said?.[kind] === undefined ? seen : Math.max(said[kind], seen ?? 0)
    }
    return { tokens: of("tokens"), costMicroUsd: of("costMicroUsd") }
  }

  const isClosed = (): boolean =>
    run.pause !== undefined || run.breach !== undefined || run.cancel !== undefined || signals.isEnding()

  const acquire = (account: Ledger.Account, attempt: Attempt) =>
    async<Ledger.Hold>((resume) => {
      if (isClosed()) {
        resume(Effect.interrupt)
        return
      }
      let granted: Ledger.Hold | undefined
      let parked = false
      const request: Ledger.Request = {
        account,
        party,
        priority: attempt.priority,
        estimate: () => estimate(attempt),
        stop: () => signals.interrupt(attempt.stepId, attempt.index),
        grant: (hold) => {
          unqueue(waiter)
          granted = hold
          resume(Effect.succeed(hold))
        }
      }
      const waiter: Waiting = {
        stepId: attempt.stepId,
        refuse: () => {
          unqueue(waiter)
          if (Ledger.withdraw(request) || parked) resume(Effect.interrupt)
        },
        park: () => {
          parked ||= Ledger.withdraw(request)
        }
      }
      queue(waiter)
      Ledger.reserve(request)
      return Effect.sync(() => {
        unqueue(waiter)
        // What was granted just before the interruption goes to others.
        if (!Ledger.withdraw(request)) granted?.end()
      })
    })

  const stopListening = purse?.listen(signals.ownerChanged)

  return {
    within: (attempt, make) => {
      const account = chargedFor(attempt.stepId)
      // What was done is undone also where nothing is left for it.
      if (account === undefined || undoes.has(attempt.stepId)) return make(undefined)
      return Effect.acquireUseRelease(
        Effect.interruptible(acquire(account, attempt)),
        (hold) =>
          make({
            report: (usage) => hold.report(learn(attempt, usage, false)),
            answered: (usage, succeeded) => hold.end(learn(attempt, usage, succeeded))
          }),
        (hold) => Effect.sync(() => hold.end())
      )
    },
    childEnded: (stepId, childId, usage) => {
      const account = chargedFor(stepId)
      if (budgets.charged.delete(childId) || account === undefined) return
      Ledger.charge(account, amountsOf(usage), purse?.account)
    },
    answer: (breach) => {
      if (breach.onBreach === "fail")
        signals.fail({ kind: "BudgetExceeded", message: explain(breach) }, breach.stepId)
    },
    hasRoom: (stepId) => (queued.get(stepId) ?? 0) < mostWaiting,
    turnBack: () => refuse(() => true),
    raised: () => {
      for (const [account, { stepId }] of scopes) Ledger.limit(account, budgetOf(stepId) ?? {})
      wall.rearm()
    },
    relieve: () => {
      const { breach } = run
      if (breach?.scope !== "owner" || breach.dimension === "wallMillis") return
      const limit = purse?.account.limits[breach.dimension] ?? Number.POSITIVE_INFINITY
      if (limit > breach.limit && Run.next(run, "OwnerBudgetRaised") !== undefined)
        signals.emit({ _tag: "OwnerBudgetRaised" })
    },
    opened: wall.watch,
    start: wall.start,
    stop: wall.stop,
    close: () => {
      wall.stop()
      stopListening?.()
    }
  }
}
