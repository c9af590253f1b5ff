import { describe, expect, it } from "@effect/vitest"
import { CommandConflict, type ControlCommand } from "@switchyard/core/Command"
import * as DefinitionHash from "@switchyard/core/DefinitionHash"
import type { Entry, Event } from "@switchyard/core/Event"
import { CommandId, RunId, type Seq, StepId } from "@switchyard/core/Ids"
import { judge } from "@switchyard/core/internal/migration"
import { answer, refusalOf } from "@switchyard/core/internal/refusal"
import { rerunOf } from "@switchyard/core/internal/rerun"
import type { Json } from "@switchyard/core/Json"
import * as Plan from "@switchyard/core/Plan"
import * as Run from "@switchyard/core/Run"
import { InvalidId, RunExists, RunNotFound } from "@switchyard/core/RunErrors"
import { type Definition, type StepDefinition, stepDefinition as step } from "@switchyard/core/Workflow"
import * as Effect from "effect/Effect"

const runId = RunId.make("run-1")
const commandId = CommandId.make("c-1")

const definition: Definition = {
  name: "w",
  steps: [
    step("a", { skill: "s", input: "x" }),
    step("ask", { approval: {} }),
    step("b", { skill: "s", after: ["a"] })
  ]
}

/** A run as these events leave it. */
const runOf = (
  events: ReadonlyArray<Event>,
  params: Json = {},
  workflow: Definition = definition
): Run.Run => {
  const all: ReadonlyArray<Event> = [{ _tag: "RunRegistered", workflow, params, tags: [] }, ...events]
  const run = Run.fold(
    all.map((event, i): Entry => ({ seq: (i + 1) as Seq, time: i, runId, runSeq: i + 1, event }))
  )
  if (run === undefined) throw new Error("the events make no run")
  return run
}

describe("a command that does not apply", () => {
  const resume = { _tag: "Resume" }
  const pause = { _tag: "Pause" }
  const cancel = { _tag: "Cancel" }
  const statuses: ReadonlyArray<readonly [Run.RunStatus, object, string]> = [
    ["Queued", resume, "Cannot Resume run run-1: it is waiting for a slot and not paused"],
    ["Running", resume, "Cannot Resume run run-1: it is running and not paused"],
    ["Paused", pause, "Cannot Pause run run-1: it is paused already"],
    [
      "OverBudget",
      pause,
      "Cannot Pause run run-1: it is over its budget; send RaiseBudget with a higher ceiling to go on with it, or Cancel to end it"
    ],
    ["Cancelling", pause, "Cannot Pause run run-1: it is being cancelled"],
    [
      "Interrupted",
      pause,
      "Cannot Pause run run-1: it was interrupted; recover it, or send Resume to go on with it or Cancel to end it"
    ],
    ["Completed", cancel, "Cannot Cancel run run-1: it has completed"],
    ["Failed", cancel, "Cannot Cancel run run-1: it has failed"],
    ["Cancelled", cancel, "Cannot Cancel run run-1: it was cancelled"]
  ]
  it.each(statuses)("is refused with how the run stands: %s", (status, command, message) => {
    const error = refusalOf({ ...runOf([]), status }, command as ControlCommand, false)
    expect([error?.message, error?.status]).toEqual([message, status])
  })

  const all = "Pause, Resume, Cancel, SetConcurrency, Decide, Signal, RaiseBudget"
  const malformed: ReadonlyArray<readonly [string, unknown, string]> = [
    ["nothing", undefined, `command run run-1: it is not a command; its _tag must be one of ${all}`],
    ["no name", { tag: "Pause" }, `command run run-1: it is not a command; its _tag must be one of ${all}`],
    [
      "a name that is near",
      { _tag: "Cancle" },
      'Cancle run run-1: there is no such command; did you mean "Cancel"?'
    ],
    ["another name", { _tag: "Explode" }, `Explode run run-1: there is no such command; there is ${all}`],
    [
      "a limit that is none",
      { _tag: "SetConcurrency", limit: 0 },
      "SetConcurrency run run-1: limit: this must be a whole number above 0, not 0"
    ],
    [
      "a mode that is none",
      { _tag: "Pause", mode: "drains" },
      'Pause run run-1: mode: this must be "drain" or "interrupt", not "drains"; did you mean "drain"?'
    ],
    [
      "several parts",
      { _tag: "Decide", decision: "yes", by: 1 },
      'Decide run run-1: stepId: this is missing; decision: this must be "approve" or "reject", not "yes"; by: this must be a text, not 1'
    ]
  ]
  it.each(malformed)("says which part of it is wrong: %s", (_, command, message) => {
    const error = refusalOf(runOf([]), command as ControlCommand, false)
    expect(error?.message).toBe(`Cannot ${message}`)
  })

  it("says that the run is about to end, or that there was an answer already", () => {
    const started: Event = { _tag: "RunStarted" }
    expect(refusalOf(runOf([started]), { _tag: "Pause" }, true)?.reason).toBe("it is about to end")
    const ask = StepId.make("ask")
    const decide: ControlCommand = { _tag: "Decide", stepId: ask, decision: "approve" }
    const decided = runOf([
      started,
      { _tag: "StepStarted", stepId: ask, stepType: "approval", totalItems: 0 } as Event,
      { _tag: "StepWaiting", stepId: ask, for: "approval" },
      { _tag: "ApprovalDecided", commandId, stepId: ask, decision: "reject" }
    ])
    expect(refusalOf(decided, decide, false)?.reason).toBe('"ask" was decided already')
  })

  it.effect("says what to do where nothing executes the run, and that an id was used before", () =>
    Effect.gen(function* () {
      const run = runOf([{ _tag: "ConcurrencySet", commandId, limit: 2 }])
      const fresh = yield* Effect.flip(answer(run, CommandId.make("other"), { _tag: "Pause" }))
      expect(fresh.message).toBe(
        "Cannot Pause run run-1: nothing executes it here any more; send the command again once the run is recovered"
      )
      yield* answer(run, commandId, { _tag: "SetConcurrency", limit: 2 })
      const used = yield* Effect.flip(answer(run, commandId, { _tag: "SetConcurrency", limit: 3 }))
      expect(used).toBeInstanceOf(CommandConflict)
      expect(used.message).toBe(
        "Command c-1 of run run-1 was sent before with another content; use a fresh id"
      )
      const done = yield* Effect.flip(
        answer({ ...run, status: "Completed" }, CommandId.make("late"), { _tag: "Pause" })
      )
      expect(done.message).toBe("Cannot Pause run run-1: it has completed")
    })
  )
})

describe("a run", () => {
  it("that there is not, or that there is already, is named with the way out", () => {
    expect(new RunNotFound({ runId: "r" }).message).toBe(
      "There is no run r in this directory; list the runs to see their ids"
    )
    expect(new RunExists({ runId }).message).toBe(
      "Run run-1 exists with another workflow or other parameters; leave the id out, or choose another"
    )
    expect(new InvalidId({ id: "a/b" }).message).toBe(
      '"a/b" is not an id: use 1 to 128 letters, digits, ".", "_" or "-", beginning with a letter or digit, and not switchyard.log'
    )
  })

  const standing: ReadonlyArray<readonly [Run.RunStatus, string]> = [
    ["Queued", "it is queued; wait for its end, or cancel it"],
    ["Paused", "it is paused; wait for its end, or cancel it"],
    ["Cancelling", "it is cancelling; wait for its end, or cancel it"],
    ["OverBudget", "it is over its budget; wait for its end, or cancel it"]
  ]
  it.effect.each(standing)("is not done again while it is %s", ([status, reason]) =>
    Effect.gen(function* () {
      const plan = yield* Plan.make(definition)
      expect(rerunOf({ ...runOf([]), status }, plan, "start")).toEqual({ reason })
    })
  )
})

describe("a migration that does not apply", () => {
  /** The reasons, one a line. */
  const reasons = (
    run: Run.Run,
    steps: ReadonlyArray<StepDefinition>,
    more: { readonly params?: Json; readonly from?: Definition } = {}
  ) =>
    Effect.gen(function* () {
      const workflow = { ...run.definition, steps }
      const plan = yield* Plan.make(workflow)
      const { from = run.definition, params = run.params } = more
      const found = judge(run, {
        commandId,
        plan,
        hash: DefinitionHash.make(workflow),
        from,
        params: { value: params }
      })
      return "_tag" in found ? [] : found.map(({ message, path }) => `${path}: ${message}`)
    })

  const [a, ask, b] = definition.steps as [StepDefinition, StepDefinition, StepDefinition]
  const paused = (events: ReadonlyArray<Event> = [], params: Json = {}, workflow = definition): Run.Run => ({
    ...runOf([{ _tag: "RunStarted" }, ...events], params, workflow),
    status: "Paused"
  })

  it.effect("says that the run changed meanwhile, or is to end", () =>
    Effect.gen(function* () {
      expect(yield* reasons(paused(), [a, ask], { from: { ...definition } })).toEqual([
        "status: the run was given another plan meanwhile; migrate it again"
      ])
      expect(yield* reasons({ ...paused(), cancel: { reason: undefined } }, [a, ask])).toEqual([
        "status: the run is to be cancelled"
      ])
    })
  )

  it.effect("says which parameters would become others", () =>
    Effect.gen(function* () {
      const run = paused([], { n: 1, deep: { m: [1] } })
      expect(yield* reasons(run, definition.steps, { params: { n: 2, deep: { m: [2] }, more: 1 } })).toEqual([
        "params.n: the run was registered with 1, which would become 2",
        "params.deep.m: the run was registered with [1], which would become [2]"
      ])
    })
  )

  const skipped: Event = { _tag: "StepSkipped", stepId: StepId.make("a"), reason: "its condition is false" }
  it.effect("says which steps would have started", () =>
    Effect.gen(function* () {
      const bSkipped: Event = { ...skipped, stepId: StepId.make("b"), reason: "dependency a was skipped" }
      const run = paused([skipped, bSkipped])
      expect(yield* reasons(run, [a, ask, { ...b, join: "allSettled" }])).toEqual([
        'steps[2].join: "b" was skipped; it would start now, though dependency a was skipped'
      ])
      const { after: _, ...first } = b
      expect(yield* reasons(run, [a, ask, first])).toEqual([
        'steps[2].after: "b" was skipped; it would start now, though dependency a was skipped'
      ])
    })
  )

  it.effect("says what steps under way would see, and what failed items were judged by", () =>
    Effect.gen(function* () {
      const stepId = StepId.make("each")
      const each = step("each", { skill: "s", forEach: [1, 2], input: "{{ has(params.mode) }}" })
      const item = { stepId, item: "1", index: 0 }
      const usage = { inputTokens: 0, outputTokens: 0, cachedTokens: 0, costMicroUsd: 0 }
      const run = paused(
        [
          { _tag: "StepStarted", stepId, stepType: "s", totalItems: 2 } as Event,
          { _tag: "ItemStarted", ...item } as Event,
          {
            _tag: "ItemFailed",
            ...item,
            attempt: 1,
            error: { kind: "Failed", message: "no" },
            metrics: { durationMillis: 1, usage, retries: 0 }
          } as Event
        ],
        {},
        { name: "w", steps: [{ ...each, onItemFailure: "continue" }] }
      )
      const changed: StepDefinition = { ...each, onItemFailure: "failStep" }
      expect(yield* reasons(run, [changed], { params: { mode: 1 } })).toEqual([
        'steps[0].onItemFailure: an item of it has failed, so this has to stay as it was: "continue"',
        'steps[0]: "each" is under way, and would see another params.mode'
      ])
    })
  )

  it.effect("says that an input of its own would be lost, and keeps that of a subworkflow", () =>
    Effect.gen(function* () {
      const run = { ...paused(), inputs: { a: 1 } }
      expect(yield* reasons(run, [ask])).toEqual([
        'steps: the run has an input of its own for "a", and there is no such step any more'
      ])
      expect(yield* reasons(run, [step("a", { approval: {} })])).toEqual([
        'steps[0]: the run has an input of its own for "a", which would receive none'
      ])
      const inner = { name: "inner", steps: [step("x", { skill: "s" })] }
      expect(yield* reasons(run, [step("a", { subworkflow: inner })])).toEqual([])
    })
  )
})
