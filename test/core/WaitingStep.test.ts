import { describe, expect, it } from "@effect/vitest"
import type { Event } from "@switchyard/core/Event"
import { makeSequencer } from "@switchyard/core/EventLog"
import { CommandId, origin, RunId, StepId } from "@switchyard/core/Ids"
import * as Run from "@switchyard/core/Run"
import { isListed, type WaitingRow, waitingRows } from "@switchyard/core/WaitingStep"
import * as Workflow from "@switchyard/core/Workflow"

const stepId = StepId.make("ask")
const commandId = CommandId.make("command")
const registered: Event = {
  _tag: "RunRegistered",
  workflow: {
    name: "w",
    onStepFailure: "drain",
    steps: [
      Workflow.stepDefinition("first", { skill: "work" }),
      Workflow.stepDefinition("ask", { approval: {} })
    ]
  },
  params: null,
  tags: []
}

/** The rows after a registration, a start and these events, a millisecond apart. */
const rowsAfter = (...events: ReadonlyArray<Event>): ReadonlyArray<WaitingRow> => {
  const { number } = makeSequencer(origin, [])
  const all = [registered, { _tag: "RunStarted" } as const, ...events]
  const run = Run.fold(all.map((event, index) => number(RunId.make("run"), event, 100 + index)))
  return run === undefined ? [] : waitingRows(run)
}

const waits: Event = { _tag: "StepWaiting", stepId, for: "approval", until: 900 }

describe("steps that wait", () => {
  it("have a row with what they wait for and since when", () => {
    expect(rowsAfter()).toEqual([])
    expect(rowsAfter(waits)).toEqual([
      {
        ...{ runId: "run", firstSeq: 1, workflow: "w", owner: null, runStatus: "Running" },
        ...{ stepId: "ask", position: 1, for: "approval", since: 102, until: 900 },
        ...{ message: null, approvers: null, signal: null }
      }
    ])
  })

  it("have none as soon as nothing more can come of it, though they are not settled", () => {
    expect(rowsAfter(waits, { _tag: "ApprovalDecided", commandId, stepId, decision: "reject" })).toEqual([])
    expect(rowsAfter(waits, { _tag: "CancelRequested", commandId })).toEqual([])
    const interrupted = [waits, { _tag: "RunInterrupted", reason: "stopped" }] as const
    expect(rowsAfter(...interrupted).map(({ runStatus }) => runStatus)).toEqual(["Interrupted"])
    expect(rowsAfter(...interrupted, { _tag: "CancelRequested", commandId })).toEqual([])
    const failure = { kind: "Failed", message: "no" }
    const summary = {
      steps: { succeeded: 0, failed: 0, skipped: 0, cancelled: 0 },
      items: { succeeded: 0, failed: 0 },
      usage: { inputTokens: 0, outputTokens: 0, cachedTokens: 0, costMicroUsd: 0 },
      durationMillis: 1
    }
    expect(rowsAfter(waits, { _tag: "RunFailed", failure, summary })).toEqual([])
  })

  it("are everybody's to decide where nobody is named, and nobody's where the list is empty", () => {
    const mayDecide = (event: Event, approver: string) =>
      rowsAfter(event).some((row) => isListed(row, { approver, for: "any" }))
    expect(mayDecide(waits, "eve")).toBe(true)
    expect(mayDecide({ ...waits, approvers: ["ann"] }, "ann")).toBe(true)
    expect(mayDecide({ ...waits, approvers: ["ann"] }, "eve")).toBe(false)
    expect(mayDecide({ ...waits, approvers: [] }, "ann")).toBe(false)
    expect(mayDecide({ _tag: "StepWaiting", stepId, for: "signal", signal: "go" }, "ann")).toBe(false)
  })
})
