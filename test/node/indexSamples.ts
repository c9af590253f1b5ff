import type { Entry, Event } from "@switchyard/core/Event"
import { makeSequencer } from "@switchyard/core/EventLog"
import { AgentId, origin, RunId, StepId } from "@switchyard/core/Ids"
import * as Workflow from "@switchyard/core/Workflow"

const stepId = StepId.make("only")
const agentId = AgentId.make("agent")
const steps = [Workflow.stepDefinition("only", { skill: "work" })]
const usage = { inputTokens: 120, outputTokens: 40, cachedTokens: 0, costMicroUsd: 315 }
const metrics = { durationMillis: 40, usage, retries: 0 }
const item = { stepId, item: "only", index: 0 }
const failure = { kind: "InvalidInput", message: "it was not what it had to be" }

/** What tells the runs of a sample log apart: most complete, of four workflows and ten owners; few things are rare. */
const eventsOf = (n: number, isOpen: boolean): ReadonlyArray<Event> => {
  const fails = n % 20 === 0
  const summary = {
    totalItems: 1,
    succeeded: fails ? 0 : 1,
    failed: fails ? 1 : 0,
    retries: 0,
    usage,
    durationMillis: 41
  }
  const ofRun = {
    steps: { succeeded: fails ? 0 : 1, failed: fails ? 1 : 0, skipped: 0, cancelled: 0 },
    items: { succeeded: fails ? 0 : 1, failed: fails ? 1 : 0 },
    usage,
    durationMillis: 50
  }
  const path = `/data/workspaces/run-${n}`
  const begun: ReadonlyArray<Event> = [
    {
      _tag: "RunRegistered",
      workflow: { name: `workflow-${n % 4}`, onStepFailure: "drain", steps },
      params: { n },
      owner: `owner-${n % 10}`,
      tags: ["all", ...(n % 1_000 === 7 ? ["rare"] : []), ...(fails ? ["fails"] : ["works"])]
    },
    { _tag: "RunStarted" },
    { _tag: "WorkspaceCreated", path },
    { _tag: "StepStarted", stepId, stepType: "work", totalItems: 1 },
    { _tag: "ItemStarted", ...item, total: 1, attempt: 1, agentId }
  ]
  if (isOpen) return begun
  return [
    ...begun,
    { _tag: "ItemProgress", ...item, progress: 0.5, usage },
    ...(fails
      ? ([
          { _tag: "ItemFailed", ...item, attempt: 1, error: failure, metrics },
          { _tag: "StepFailed", stepId, failure, summary },
          { _tag: "WorkspaceReleased", path, kept: true },
          { _tag: "RunFailed", failure, stepId, summary: ofRun }
        ] as const)
      : ([
          {
            _tag: "ItemCompleted",
            ...item,
            attempt: 1,
            agentId,
            result: { answer: `the answer to ${n}` },
            metrics
          },
          { _tag: "StepCompleted", stepId, summary },
          { _tag: "WorkspaceReleased", path, kept: true },
          { _tag: "RunCompleted", summary: ofRun }
        ] as const))
  ]
}

/** A log of that many runs, a batch at a time, ten entries a run; the last runs are under way. */
export function* sampleLog(runs: number, open = 10, batch = 1024): Generator<ReadonlyArray<Entry>> {
  const { number } = makeSequencer(origin, [])
  let entries: Array<Entry> = []
  for (let n = 0; n < runs; n++) {
    const runId = RunId.make(`run-${String((n * 7919) % 1_000_003).padStart(7, "0")}-${n}`)
    for (const event of eventsOf(n, n >= runs - open)) entries.push(number(runId, event, 1_000_000 + n))
    if (entries.length < batch) continue
    yield entries
    entries = []
  }
  yield entries
}

const waitingSteps = ["ask", "sleep", "hear", "done"].map((id) =>
  Workflow.stepDefinition(id, { skill: "work" })
)

/** What follows a log: the items of a run that are runs, of two workflows, most of which have completed. */
export function* childrenLog(runs: number, last: Entry | undefined): Generator<ReadonlyArray<Entry>> {
  const { number } = makeSequencer(last?.seq ?? origin, [])
  const entries: Array<Entry> = []
  for (let n = 0; n < runs; n++) {
    const [registered, ...rest] = eventsOf(2 * n + 1, n % 10 === 4)
    if (registered?._tag !== "RunRegistered") continue
    const parent = { runId: RunId.make(`parent-${n % 2}`), stepId, index: n }
    for (const event of [{ ...registered, parent }, ...rest])
      entries.push(number(RunId.make(`child-${n}`), event, 3_000_000 + n))
  }
  yield entries
}

/** What follows a log: runs with a step that waits for each of what there is, and one that has an output of its own. */
export function* waitingLog(
  runs: number,
  last: Entry | undefined,
  batch = 1024
): Generator<ReadonlyArray<Entry>> {
  const { number } = makeSequencer(last?.seq ?? origin, [])
  const [ask = stepId, sleep = stepId, hear = stepId, done = stepId] = waitingSteps.map(({ id }) => id)
  const summary = { totalItems: 0, succeeded: 0, failed: 0, retries: 0, usage, durationMillis: 1 }
  let entries: Array<Entry> = []
  for (let n = 0; n < runs; n++) {
    const approvers = n % 2 === 0 ? {} : { approvers: n % 4 === 1 ? ["ann", "bob"] : ["bob"] }
    const events: ReadonlyArray<Event> = [
      {
        _tag: "RunRegistered",
        workflow: { name: `waiting-${n % 3}`, onStepFailure: "drain", steps: waitingSteps },
        params: { n },
        owner: `owner-${n % 5}`,
        tags: ["waits"]
      },
      { _tag: "RunStarted" },
      { _tag: "StepWaiting", stepId: ask, for: "approval", message: `May ${n} go on?`, ...approvers },
      { _tag: "StepWaiting", stepId: sleep, for: "time", until: 9_000_000 + n },
      { _tag: "StepWaiting", stepId: hear, for: "signal", signal: "go" },
      { _tag: "StepCompleted", stepId: done, summary, output: { n } }
    ]
    for (const event of events) entries.push(number(RunId.make(`waits-${n}`), event, 2_000_000 + n))
    if (entries.length < batch) continue
    yield entries
    entries = []
  }
  yield entries
}
