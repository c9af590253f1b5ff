import type { AgentError, AgentEvent } from "@switchyard/core/Agent"
import type { Entry, Event } from "@switchyard/core/Event"
import type { RunId } from "@switchyard/core/Ids"
import * as Run from "@switchyard/core/Run"
import * as ScriptedAgent from "@switchyard/core/testing/ScriptedAgent"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import { type Spec, scriptOf, specOf } from "./workflows.js"

/** The id of the run of the drawn workflow. */
export const drawn = "drawn" as RunId

/** Whether a run is that of the drawn workflow, or an item of it. */
export const isDrawn = (runId: RunId): boolean => runId === drawn || runId.startsWith(`${drawn}.`)

const settles = /^Step(Completed|Failed|Skipped|Cancelled)$/

/** How long after an interrupting pause a run may need to hand it on to those that are its items. */
const patience = 30

/** A run as it can be seen from outside. */
export interface Seen {
  readonly spec: Spec
  /** What is durable of it. */
  run: Run.Run | undefined
  readonly parent: Seen | undefined
  /** The runs that are items of it, as it has given them to the log. */
  readonly children: Set<string>
  readonly settled: Set<string>
  readonly completed: Set<string>
  readonly perStep: Map<string, number>
  /** How many calls are under way. */
  running: number
  /** How many items may be. */
  limit: number
  durableLimit: number
  /** The most that it ever was. */
  widest: number
  begun: boolean
  /** When it was last told to stand still at once, and which call comes next after that. */
  interrupted: { readonly at: number; readonly before: number } | undefined
  /** Whether somebody else than its parent had it stand still last. */
  heldByOthers: boolean
}

/** What can be seen from outside while a workflow is executed: the calls of its agent, and what becomes durable when. */
export interface World {
  readonly agent: ScriptedAgent.ScriptedAgent
  /** A host begins; `isDead` says whether it is gone, so that what it does means nothing any more. */
  readonly begin: (isDead: () => boolean) => void
  /** How many items of the drawn run may be under way at once. */
  readonly limit: () => number
  readonly allow: (limit: number) => void
  /** Sees what a host gives to its log. */
  readonly handed: (runId: RunId, events: ReadonlyArray<Event>) => void
  /** Sees what has become durable. */
  readonly kept: (entry: Entry) => void
  /** The runs that are registered and have not ended, in the order of their registration. */
  readonly open: () => ReadonlyArray<readonly [runId: RunId, seen: Seen]>
  /** Whether it is durable that the run has ended. */
  readonly isOver: () => boolean
}

/** The world of a drawn workflow, where so many runs may be running at once; what must not be is added to `wrong`. */
export const makeWorld = (spec: Spec, slots: number, now: () => number, wrong: Array<string>): World => {
  const runs = new Map<RunId, Seen>()
  let calls = 0
  let isDead = () => false

  const lookAt = (runId: RunId): Seen | undefined => {
    const known = runs.get(runId)
    if (known !== undefined || !isDrawn(runId)) return known
    const found = specOf(spec, runId)
    if (found === undefined) {
      wrong.push(`${runId} was not drawn`)
      return undefined
    }
    const parentId = runId.replace(/\.s\d+(\.\d+)?$/, "") as RunId
    const limit = found.concurrency ?? Number.POSITIVE_INFINITY
    const seen: Seen = {
      spec: found,
      run: undefined,
      parent: runId === drawn ? undefined : lookAt(parentId),
      children: new Set(),
      settled: new Set(),
      completed: new Set(),
      perStep: new Map(),
      running: 0,
      limit,
      durableLimit: limit,
      widest: limit,
      begun: false,
      interrupted: undefined,
      heldByOthers: false
    }
    runs.set(runId, seen)
    return seen
  }
  const lineOf = (seen: Seen | undefined): ReadonlyArray<Seen> =>
    seen === undefined ? [] : [seen, ...lineOf(seen.parent)]
  const isOver = ({ run }: Seen): boolean => run !== undefined && Run.isTerminal(run.status)
  const stepOf = (seen: Seen, stepId: string) => seen.spec.steps[Number(stepId.slice(1))]

  /** The dependencies of a step must have settled, and nobody may be able to forget it. */
  const mayStart = (seen: Seen, stepId: string, what: string): void => {
    for (const dependency of stepOf(seen, stepId)?.after ?? [])
      if (!seen.settled.has(`s${dependency}`))
        wrong.push(`${what} of ${stepId} before the end of s${dependency} is durable`)
  }

  /** A run that begins as an item takes its part of what its parent may have under way, and is known to it before. */
  const mayBegin = (runId: RunId, parent: Seen, stepId: string): void => {
    mayStart(parent, stepId, "a run")
    const others = [...runs.values()].filter((each) => each.parent === parent && each.run && !isOver(each))
    const beside = others.filter(({ run }) => run?.parent?.stepId === stepId).length
    const cap = stepOf(parent, stepId)?.concurrency ?? Number.POSITIVE_INFINITY
    if (beside >= cap) wrong.push(`${beside} runs of ${stepId} are under way already, allowed are ${cap}`)
    if (parent.run?.status === "Paused") wrong.push(`a run of ${stepId} begins while its parent stands still`)
    if (!parent.children.has(runId)) wrong.push(`${runId} is there before its parent knows of it`)
  }

  const isHeldUp = JSON.stringify(spec).includes("after a limit")
  const script = scriptOf((runId) => runs.get(runId as RunId)?.spec)
  const scripted: ScriptedAgent.ScriptedAgent = ScriptedAgent.make("work", (task, call) => {
    const { attempt, index, runId, stepId } = task
    if (isDead()) return [ScriptedAgent.hang]
    const seen = lookAt(runId)
    if (seen === undefined) return [ScriptedAgent.wait(1), ScriptedAgent.give(index)]
    const bad = (what: string) => wrong.push(`${runId}/${stepId}/${index} ${what}`)
    // What belongs to an item that is under way already may be so since before the limit was lowered: a repetition, and
    // also a first call where the agent was held meanwhile.
    const allowed = isHeldUp ? seen.widest : seen.limit
    if (attempt === 1 && seen.running > allowed) bad(`is call ${seen.running}, allowed are ${allowed}`)
    const cap = stepOf(seen, stepId)?.concurrency ?? Number.POSITIVE_INFINITY
    const beside = seen.perStep.get(stepId) ?? 0
    if (beside > cap) bad(`is call ${beside} of its step, allowed are ${cap}`)
    const busy = [...runs.values()].filter(({ running }) => running > 0).length
    if (busy > slots) bad(`makes ${busy} runs busy, allowed are ${slots}`)
    mayStart(seen, stepId, "a call")
    if (!seen.begun) bad("is done before it is durable that the run has started")
    if (seen.completed.has(`${stepId}/${index}`)) bad("is done again")
    if (seen.settled.has(stepId)) bad("is done after the end of its step")
    for (const each of lineOf(seen)) {
      if (isOver(each)) bad(`is done after the end of ${each.run?.id}`)
      if (each.run?.status === "Paused") bad(`is done while ${each.run.id} stands still`)
    }
    return script(task, call)
  })

  const begins = (seen: Seen, stepId: string): number => {
    seen.running++
    seen.perStep.set(stepId, (seen.perStep.get(stepId) ?? 0) + 1)
    return calls++
  }
  const ends = (seen: Seen, stepId: string, call: number, exit: Exit.Exit<unknown, unknown>): void => {
    seen.running--
    seen.perStep.set(stepId, (seen.perStep.get(stepId) ?? 0) - 1)
    if (isDead() || Exit.isInterrupted(exit)) return
    for (const { interrupted, run } of lineOf(seen)) {
      const late = run?.id === seen.run?.id ? 0 : patience
      if (interrupted !== undefined && call < interrupted.before && now() > interrupted.at + late)
        wrong.push(`a call of ${stepId} goes on, though ${run?.id} was interrupted`)
    }
  }
  const agent: ScriptedAgent.ScriptedAgent = {
    ...scripted,
    run: (task) =>
      Stream.unwrapScoped(
        Effect.suspend(() => {
          const seen = lookAt(task.runId)
          const calling = scripted.run(task) as Stream.Stream<AgentEvent, AgentError>
          if (seen === undefined) return Effect.succeed(calling)
          return Effect.as(
            Effect.acquireRelease(
              Effect.sync(() => begins(seen, task.stepId)),
              (call, exit) => Effect.sync(() => ends(seen, task.stepId, call, exit))
            ),
            calling
          )
        })
      )
  }

  const root = lookAt(drawn)

  return {
    agent,
    begin: (dead) => {
      isDead = dead
      for (const seen of runs.values()) seen.limit = seen.durableLimit
    },
    limit: () => root?.limit ?? 0,
    allow: (next) => {
      if (root === undefined) return
      root.limit = next
      root.widest = Math.max(root.widest, next)
    },
    handed: (runId, events) => {
      const seen = lookAt(runId)
      if (seen === undefined) return
      for (const event of events) {
        if (event._tag === "StepStarted" || event._tag === "StepWaiting" || event._tag === "ItemStarted")
          mayStart(seen, event.stepId, event._tag)
        if (event._tag === "ItemStarted" && event.childId !== undefined) seen.children.add(event.childId)
        if (event._tag === "RunRegistered" && event.parent && seen.parent)
          mayBegin(runId, seen.parent, event.parent.stepId)
        if (event._tag === "PauseRequested" && event.mode === "interrupt")
          seen.interrupted = { at: now(), before: calls }
        if (event._tag !== "RunPaused") continue
        for (const each of runs.values())
          if (each.running > 0 && lineOf(each).includes(seen))
            wrong.push(`${each.run?.id} has calls under way while ${runId} stands still`)
      }
    },
    kept: (entry) => {
      const { event, runId } = entry
      const seen = lookAt(runId)
      if (seen === undefined) return
      if (seen.run === undefined) seen.run = Run.register(entry)
      else Run.apply(seen.run, entry)
      if (settles.test(event._tag) && "stepId" in event) seen.settled.add(String(event.stepId))
      else if (event._tag === "ItemCompleted") seen.completed.add(`${event.stepId}/${event.index}`)
      else if (event._tag === "RunStarted") seen.begun = true
      else if (event._tag === "ConcurrencySet") seen.durableLimit = event.limit
      else if (event._tag === "PauseRequested")
        seen.heldByOthers = !event.commandId.startsWith("from-parent.")
    },
    open: () => [...runs].filter(([, seen]) => seen.run !== undefined && !isOver(seen)),
    isOver: () => root !== undefined && isOver(root)
  }
}
