import { type AgentTally, addTally, type Tallies, tallyOf } from "@switchyard/core/AgentTally"
import * as Capability from "@switchyard/core/Capability"
import * as DefinitionHash from "@switchyard/core/DefinitionHash"
import type { Entry, Event } from "@switchyard/core/Event"
import { makeSequencer } from "@switchyard/core/EventLog"
import { AgentId, CommandId, logId, origin, RunId, StepId } from "@switchyard/core/Ids"
import { foldOf } from "@switchyard/core/internal/logFold"
import * as Run from "@switchyard/core/Run"
import * as Workflow from "@switchyard/core/Workflow"
import * as fc from "fast-check"

/** One event as drawn; which it is depends on what can follow. */
interface Draw {
  readonly run: number
  readonly kind: number
  readonly step: number
  readonly index: number
  readonly n: number
  readonly millis: number
  /** Now and then an event is recorded that cannot follow; whoever folds has to pass it over. */
  readonly illegal: boolean
}

const draw: fc.Arbitrary<Draw> = fc.record({
  run: fc.nat(2),
  kind: fc.nat(999),
  step: fc.nat(2),
  index: fc.nat(3),
  n: fc.nat(9),
  millis: fc.nat(20),
  illegal: fc.oneof(
    { arbitrary: fc.constant(false), weight: 15 },
    { arbitrary: fc.constant(true), weight: 1 }
  )
})

const steps = ["s0", "s1", "s2"]
const agents = ["agent", "Agent", "other", "third"].map((id) => AgentId.make(id))
const ofRun = {
  steps: { succeeded: 0, failed: 0, skipped: 0, cancelled: 0 },
  items: { succeeded: 0, failed: 0 },
  usage: { inputTokens: 0, outputTokens: 0, cachedTokens: 0, costMicroUsd: 0 },
  durationMillis: 1
}

const agentOf = (n: number): AgentId => agents[n % 3] ?? AgentId.make("agent")

/** What may be recorded of an agent. */
const ofAgent = ({ index, n, step }: Draw): Event => {
  const agentId = agents[(n + index) % agents.length] ?? agentOf(n)
  const skills = [["work"], ["work", "work"], ["work", "play"], ["play"]][index] ?? []
  const events: ReadonlyArray<Event> = [
    {
      _tag: "AgentRegistered",
      agentId,
      revision: 1 + step,
      metadata: { name: `Name ${n}`, version: "1", description: "é", author: "", tags: [`tag ${step}`] },
      capabilities: skills.map((skill) => Capability.make({ skill })),
      ...(n % 2 === 0 ? { kind: "process", definition: { n }, source: "a.yaml" } : {})
    },
    { _tag: "AgentUnregistered", agentId },
    { _tag: "AgentDisabled", agentId },
    { _tag: "AgentEnabled", agentId },
    { _tag: "AgentHealthChanged", agentId, health: { _tag: "Degraded", reason: `because ${n}` } },
    { _tag: "AgentCircuitChanged", agentId, circuit: "Open", until: n, reason: "no" },
    { _tag: "AgentHeld", agentId, until: n, reason: "a limit" }
  ]
  return events[(n + step) % events.length] ?? { _tag: "AgentEnabled", agentId }
}

const waits = (stepId: StepId, n: number): Event => {
  const until = n % 2 === 0 ? {} : { until: 100 * n }
  if (n % 3 === 0) return { _tag: "StepWaiting", stepId, for: "signal", signal: `signal ${n % 2}`, ...until }
  if (n % 5 === 0) return { _tag: "StepWaiting", stepId, for: "time", until: n }
  const approvers = [undefined, ["ann", "", "ann"], ["bob"], []][n % 4]
  const message = n === 1 ? {} : { message: `é ${n}?` }
  return {
    _tag: "StepWaiting",
    stepId,
    for: "approval",
    ...message,
    ...until,
    ...(approvers === undefined ? {} : { approvers })
  }
}

const registration = ({ index, n, step }: Draw): Event => ({
  _tag: "RunRegistered",
  workflow: {
    name: `workflow ${n % 2}`,
    onStepFailure: "drain",
    steps: steps.map((id) =>
      Workflow.stepDefinition(
        id,
        id === "s1"
          ? { skill: "work", forEach: [1, 2, 3] }
          : id === "s0"
            ? { agent: agentOf(n) }
            : { skill: "work" }
      )
    )
  },
  params: null,
  ...(n % 3 === 0 ? {} : { owner: `owner ${n % 3}` }),
  ...(n % 4 === 0 ? { budget: { tokens: 1 + n } } : {}),
  ...(index === 1
    ? { parent: { runId: RunId.make(`parent-${n % 2}`), stepId: StepId.make("s1"), index: n } }
    : {}),
  ...(index === 2 ? { origin: { runId: RunId.make("origin"), from: "failure" } } : {}),
  ...(index === 3
    ? {
        origin: { runId: RunId.make("origin"), from: "step", stepId: StepId.make("s0") },
        inputs: { [StepId.make("s0")]: n }
      }
    : {}),
  tags: ["", "é", `tag ${n % 2}`, `tag ${n % 2}`].slice(step)
})

/** Another definition: some of the steps there may be, in another order, some of them new. */
const migrated = (commandId: CommandId, name: string, n: number, index: number): Event => {
  const ids = ["s2", "s0", "new", "s1"].filter((_, at) => (n + index) % 4 !== at)
  const workflow = {
    name,
    steps: ids.map((id) => Workflow.stepDefinition(id, { skill: `skill ${n}` }))
  }
  return { _tag: "RunMigrated", commandId, workflow, hash: DefinitionHash.make(workflow) }
}

/** What most events of a log are about. */
type Mostly = "waits" | "works" | "anything"

/** The events that a run may record at a moment, legal or not; those that come more than once are likelier. */
const eventOf = ({ index, kind, n, step }: Draw, name: string, mostly: Mostly): Event => {
  const agentId = agentOf(n)
  const stepId = StepId.make(n === 9 ? "unknown" : (steps[step] ?? "s0"))
  const item = { stepId, item: `item ${index}`, index }
  const usage = { inputTokens: n, outputTokens: 2 * n, cachedTokens: 0, costMicroUsd: 7 * n }
  const metrics = { durationMillis: n, usage, retries: n % 2 }
  const summary = { totalItems: 3, succeeded: 1, failed: 0, retries: 0, usage, durationMillis: n }
  const failure = { kind: "Failed", message: `because ${n}`, ...(n % 2 === 0 ? {} : { agentId }) }
  const commandId = CommandId.make(`command${n}`)
  const by = step === 2 && n % 2 === 0 ? { childId: RunId.make(`child-${n}`) } : { agentId }
  const often: ReadonlyArray<Event> = [
    { _tag: "ItemStarted", ...item, total: 3, attempt: 1 + (n % 2), ...by },
    { _tag: "ItemProgress", ...item, usage },
    { _tag: "ItemCompleted", ...item, attempt: 1, ...("agentId" in by ? by : {}), result: { n }, metrics },
    { _tag: "ItemFailed", ...item, attempt: 1, error: failure, metrics },
    {
      _tag: "ItemFailed",
      ...item,
      attempt: 1,
      error: failure,
      retry: { attempt: 2, delayMillis: 1, agentId },
      metrics
    },
    { _tag: "StepStarted", stepId, stepType: "skill", totalItems: 3 },
    { _tag: "PermissionDenied", ...item, agentId, permission: "Network", reason: `for ${n}` }
  ]
  const rarely: ReadonlyArray<Event> = [
    { _tag: "StepCompleted", stepId, summary },
    { _tag: "StepCompleted", stepId, summary, output: n === 1 ? "x".repeat(65_535) : { n } },
    { _tag: "StepFailed", stepId, failure, summary },
    { _tag: "StepCancelled", stepId, summary },
    { _tag: "StepSkipped", stepId, reason: "no" },
    { _tag: "StepReused", stepId, runId: RunId.make("origin"), output: { reused: n }, items: [{ n }] },
    { _tag: "WorkspaceCreated", path: `/w/${n}` },
    { _tag: "PauseRequested", commandId, mode: "drain" },
    { _tag: "RunPaused" },
    { _tag: "ResumeRequested", commandId },
    { _tag: "RunResumed" },
    { _tag: "ConcurrencySet", commandId, limit: 2 },
    migrated(commandId, name, n, index),
    { _tag: "BudgetWarning", scope: "run", dimension: "tokens", limit: n, spent: n },
    {
      _tag: "BudgetExceeded",
      scope: n % 2 === 0 ? "run" : "owner",
      dimension: "tokens",
      limit: n,
      spent: n,
      onBreach: n % 3 === 0 ? "fail" : "pause"
    },
    { _tag: "RunOverBudget" },
    { _tag: "BudgetRaised", commandId, tokens: n + 1, ...(n % 2 === 0 ? {} : { stepId }) },
    { _tag: "OwnerBudgetRaised" },
    { _tag: "AgentPinned", agentId, revision: n },
    { _tag: "CancelRequested", commandId },
    n % 2 === 0 ? { _tag: "RunCompensating" } : { _tag: "RunCompensating", failure, stepId },
    { _tag: "RunInterrupted", reason: "stopped" },
    { _tag: "RunRecovered" },
    { _tag: "RunStarted" }
  ]
  const ofWaits: ReadonlyArray<Event> = [
    waits(stepId, n),
    waits(stepId, n + index),
    waits(stepId, 2 * n),
    { _tag: "ApprovalDecided", commandId, stepId, decision: n % 2 === 0 ? "approve" : "reject" },
    { _tag: "SignalReceived", commandId, name: `signal ${n % 2}`, payload: { n } }
  ]
  const ends: ReadonlyArray<Event> = [
    { _tag: "RunCompleted", summary: ofRun, ...(n % 2 === 0 ? {} : { output: { n } }) },
    { _tag: "RunFailed", failure, stepId, summary: ofRun },
    { _tag: "RunCancelled", summary: ofRun }
  ]
  const all = {
    waits: [ofWaits, ofWaits, ofWaits, ofWaits, rarely, ends],
    works: [often, often, ends],
    anything: [often, often, often, often, ofWaits, rarely, rarely, rarely, ends]
  }[mostly].flat()
  return all[kind % all.length] ?? { _tag: "RunStarted" }
}

const historiesOf = (kinds: ReadonlyArray<Mostly>): fc.Arbitrary<ReadonlyArray<Entry>> =>
  fc
    .tuple(fc.array(draw, { minLength: 1, maxLength: 250, size: "max" }), fc.constantFrom(...kinds))
    .map(([drawn, mostly]) => {
      // Attempts are begun and answered where not too many items are there to be chosen from.
      const draws =
        mostly === "works" ? drawn.map((each) => ({ ...each, step: each.step % 2, index: 0 })) : drawn
      const { number } = makeSequencer(origin, [])
      const entries: Array<Entry> = []
      const runs = new Map<number, Run.Run>()
      const finished: Array<RunId> = []
      let time = 1_000
      let registered = 0
      for (const each of draws) {
        time += each.millis
        if (each.kind % 25 === 0) {
          entries.push(number(logId, ofAgent(each), time))
          continue
        }
        const run = runs.get(each.run)
        const [ended] = finished
        if (run === undefined && each.illegal && ended !== undefined) {
          entries.push(number(ended, registration(each), time))
          continue
        }
        if (run === undefined) {
          const id = RunId.make(`run-${String.fromCharCode(122 - (registered % 26))}-${registered++}`)
          for (const event of [registration(each), { _tag: "RunStarted" } as const]) {
            const entry = number(id, event, time)
            const known = runs.get(each.run)
            if (known !== undefined) Run.apply(known, entry)
            const added = Run.register(entry)
            if (added !== undefined) runs.set(each.run, added)
            entries.push(entry)
          }
          continue
        }
        const event =
          each.illegal && each.n % 2 === 0 ? registration(each) : eventOf(each, run.definition.name, mostly)
        if (Run.next(run, event._tag) === undefined && !each.illegal) continue
        const entry = number(run.id, event, time)
        Run.apply(run, entry)
        entries.push(entry)
        if (!Run.isTerminal(run.status)) continue
        runs.delete(each.run)
        finished.unshift(run.id)
      }
      return entries
    })

/** A log of some runs whose events mix, each registered when it is first drawn and, once it has ended, followed by another. */
export const histories = historiesOf(["anything", "waits"])

/** The runs of a log, folded. */
export const foldsOf = (log: ReadonlyArray<Entry>) => foldOf(log).runs

/** What agents did in some runs of a log, as their removal records it. */
const doneIn = (log: ReadonlyArray<Entry>, gone: ReadonlyArray<RunId>): ReadonlyArray<AgentTally> => {
  const { book } = foldOf(log)
  const done: Tallies = new Map()
  for (const runId of gone)
    for (const ofAgent of book.runs.get(runId)?.values() ?? [])
      for (const tally of ofAgent.values()) addTally(tallyOf(done, tally.agentId, tally.skill), tally)
  return [...done.values()].flatMap((ofAgent) =>
    [...ofAgent.values()].map(({ skill, ...tally }) => {
      const { lastInvocation, latest } = tallyOf(book.tallies, tally.agentId, skill)
      return { ...tally, lastInvocation, latest, ...(skill === undefined ? {} : { skill }) }
    })
  )
}

/** A log in which runs that have ended are removed now and then, and what is left of it when that is done, or half done. */
export const removals = fc
  .tuple(
    historiesOf(["works"]),
    fc.array(fc.tuple(fc.nat(99), fc.nat(3)), { maxLength: 4, size: "max" }),
    fc.boolean()
  )
  .map(([drawn, removed, isDone]) => {
    const log: Array<Entry> = []
    const gone = new Set<Entry>()
    const remove = (keeps: number, isLast: boolean): void => {
      const ended = [...foldsOf(log).values()].filter(({ status }) => Run.isTerminal(status))
      const runs = ended.map(({ id }) => id).filter((_, at) => at % 4 !== keeps)
      const last = log.at(-1)
      if (runs.length === 0 || last === undefined) return
      const compacted = new Set(isDone || !isLast ? runs : runs.slice(1))
      for (const entry of log) if (compacted.has(entry.runId)) gone.add(entry)
      const event: Event = { _tag: "RunsRemoved", runs, archived: false, agents: doneIn(log, runs) }
      log.push({ ...last, seq: (log.length + 1) as Entry["seq"], runId: logId, event })
    }
    const places = [...removed].sort((a, b) => a[0] - b[0])
    for (const [place, entry] of drawn.entries()) {
      places.forEach(([at, keeps], index) => {
        if (place === Math.floor((at * drawn.length) / 100)) remove(keeps, index === places.length - 1)
      })
      log.push({ ...entry, seq: (log.length + 1) as Entry["seq"] })
    }
    return { log, left: log.filter((entry) => !gone.has(entry)) }
  })
