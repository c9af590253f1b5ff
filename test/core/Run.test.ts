import { describe, expect, it } from "@effect/vitest"
import type { Entry, Event } from "@switchyard/core/Event"
import { RunId, type Seq } from "@switchyard/core/Ids"
import * as Run from "@switchyard/core/Run"
import { kindsOfEvents } from "@switchyard/core/testing/EventSamples"

const runId = RunId.make("run")
let seq = 0
const entry = (event: Event, time = 0): Entry => {
  seq++
  return { seq: seq as Seq, time, runId, runSeq: seq, event }
}

const registered = (): Run.Run => {
  const event = kindsOfEvents.find(({ _tag }) => _tag === "RunRegistered")
  const run = event && Run.register(entry(event))
  if (run === undefined) throw new Error("there is no registration among the samples")
  return run
}

const statuses = Run.RunStatus.literals

/** The whole table, written down a second time: what each event leads to from each status, `-` where it is illegal. */
const expected: { readonly [Tag in Event["_tag"]]: string } = {
  RunRegistered: "- - - - - - - - -",
  RunStarted: "Running - - - - - - - -",
  AgentPinned: "Queued Running Paused OverBudget Cancelling Interrupted - - -",
  WorkspaceCreated: "Queued Running Paused OverBudget Cancelling Interrupted - - -",
  WorkspaceReleased: "Queued Running Paused OverBudget Cancelling Interrupted - - -",
  PauseRequested: "Queued Running - - - - - - -",
  RunPaused: "Paused Paused - - - - - - -",
  ResumeRequested: "Queued Running Queued - - Interrupted - - -",
  RunResumed: "Running - - - - - - - -",
  ConcurrencySet: "Queued Running Paused OverBudget - - - - -",
  ApprovalDecided: "Queued Running Paused OverBudget - - - - -",
  SignalReceived: "Queued Running Paused OverBudget - - - - -",
  BudgetWarning: "Queued Running Paused OverBudget Cancelling Interrupted - - -",
  BudgetExceeded: "Queued Running Paused OverBudget Cancelling Interrupted - - -",
  RunOverBudget: "OverBudget OverBudget - - - - - - -",
  BudgetRaised: "Queued Running Paused Queued - - - - -",
  OwnerBudgetRaised: "Queued Running Paused Queued - - - - -",
  RunMigrated: "- - Paused - - Interrupted - - -",
  CancelRequested: "Cancelling Cancelling Cancelling Cancelling Cancelling Interrupted - - -",
  RunCompensating: "Queued Running - - Cancelling - - - -",
  RunInterrupted: "Interrupted Interrupted Interrupted Interrupted Interrupted - - - -",
  RunRecovered: "- - - - - Queued - - -",
  RunCompleted: "- Completed - - - - - - -",
  RunFailed: "Failed Failed - - - - - - -",
  RunCancelled: "- - - - Cancelled - - - -",
  StepStarted: "Queued Running Paused OverBudget Cancelling Interrupted - - -",
  StepReused: "Queued Running Paused OverBudget Cancelling Interrupted - - -",
  StepWaiting: "Queued Running Paused OverBudget Cancelling Interrupted - - -",
  StepSkipped: "Queued Running Paused OverBudget Cancelling Interrupted - - -",
  StepCompleted: "Queued Running Paused OverBudget Cancelling Interrupted - - -",
  StepFailed: "Queued Running Paused OverBudget Cancelling Interrupted - - -",
  StepCancelled: "Queued Running Paused OverBudget Cancelling Interrupted - - -",
  ItemStarted: "Queued Running Paused OverBudget Cancelling Interrupted - - -",
  ItemProgress: "Queued Running Paused OverBudget Cancelling Interrupted - - -",
  ItemCompleted: "Queued Running Paused OverBudget Cancelling Interrupted - - -",
  ItemFailed: "Queued Running Paused OverBudget Cancelling Interrupted - - -",
  PermissionDenied: "Queued Running Paused OverBudget Cancelling Interrupted - - -",
  AgentRegistered: "- - - - - - - - -",
  AgentUnregistered: "- - - - - - - - -",
  AgentEnabled: "- - - - - - - - -",
  AgentDisabled: "- - - - - - - - -",
  AgentHealthChanged: "- - - - - - - - -",
  AgentCircuitChanged: "- - - - - - - - -",
  AgentHeld: "- - - - - - - - -",
  RunsRemoved: "- - - - - - - - -"
}

describe("transitions", () => {
  it.each(kindsOfEvents.map((event) => [event._tag, event] as const))("of %s", (tag, event) => {
    const row = expected[tag].split(" ")
    expect(row.length).toBe(statuses.length)
    for (const [index, status] of statuses.entries()) {
      const run = registered()
      run.status = status
      const before = JSON.stringify([run, [...run.steps], [...run.commands]])
      const problem = Run.apply(run, entry(event))
      const wanted = row[index]
      expect(problem === undefined ? run.status : "-", `${tag} while ${status}`).toBe(wanted)
      if (wanted !== "-") continue
      expect(problem?._tag).toBe("IllegalTransition")
      expect(problem?.message).toContain(`(${tag}) cannot follow while run run is ${status}`)
      expect(JSON.stringify([run, [...run.steps], [...run.commands]]), "nothing was changed").toBe(before)
    }
  })

  it("covers every status and every kind of event", () => {
    expect(statuses).toEqual([
      "Queued",
      "Running",
      "Paused",
      "OverBudget",
      "Cancelling",
      "Interrupted",
      "Completed",
      "Failed",
      "Cancelled"
    ])
    expect([...new Set(kindsOfEvents.map(({ _tag }) => _tag))].sort()).toEqual(Object.keys(expected).sort())
  })

  it("lets nothing follow a terminal status", () => {
    for (const status of statuses.filter(Run.isTerminal)) {
      for (const event of kindsOfEvents) {
        const run = registered()
        run.status = status
        expect(Run.apply(run, entry(event))?._tag).toBe("IllegalTransition")
      }
    }
  })

  it("goes on cancelling a run that was interrupted while it was being cancelled", () => {
    const run = registered()
    const commandId = kindsOfEvents.flatMap((event) => ("commandId" in event ? [event.commandId] : []))[0]
    if (commandId === undefined) throw new Error("there is no command among the samples")
    for (const event of [
      { _tag: "CancelRequested", commandId, reason: "first" },
      { _tag: "CancelRequested", commandId, reason: "second" },
      { _tag: "RunInterrupted", reason: "" },
      { _tag: "RunRecovered" }
    ] satisfies ReadonlyArray<Event>) {
      expect(Run.apply(run, entry(event))).toBeUndefined()
    }
    expect([run.status, run.cancel?.reason, run.interruptions]).toEqual(["Cancelling", "first", 1])
  })
})

describe("the fold", () => {
  const history = () =>
    kindsOfEvents.filter(
      ({ _tag }) => !/^Run(Failed|Cancelled|Interrupted|Recovered|sRemoved)|Cancel/.test(_tag)
    )

  it("is applying one entry after the other", () => {
    seq = 0
    const entries = history().map((event, time) => entry(event, time))
    const run = registered()
    seq = 0
    const [first, ...rest] = entries
    const applied = first && Run.register(first)
    if (applied === undefined) throw new Error("the history does not begin with a registration")
    for (const each of rest) Run.apply(applied, each)
    expect(Run.fold(entries)).toEqual(applied)
    expect(applied.id).toBe(run.id)
    expect(applied.lastSeq).toBe(entries.find(({ event }) => event._tag === "RunCompleted")?.seq)
  })

  it("is nothing without a registration at its beginning", () => {
    expect(Run.fold([])).toBeUndefined()
    expect(Run.fold([entry({ _tag: "RunStarted" })])).toBeUndefined()
  })

  it("passes over what it knows no step for", () => {
    const run = registered()
    run.status = "Running"
    const before = JSON.stringify([...run.steps])
    for (const event of kindsOfEvents) {
      if (!("stepId" in event) || event._tag === "RunFailed") continue
      const unknown = { ...event, stepId: "nowhere" } as Event
      expect(Run.apply(run, entry(unknown))).toBeUndefined()
    }
    expect(JSON.stringify([...run.steps])).toBe(before)
  })
})
