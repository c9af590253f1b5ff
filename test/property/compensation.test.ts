import { describe, expect, it } from "@effect/vitest"
import { AgentRegistry } from "@switchyard/core/AgentRegistry"
import type { Entry } from "@switchyard/core/Event"
import * as Run from "@switchyard/core/Run"
import { collect, type Plane, wellFormed } from "@switchyard/core/testing/ControlPlaneLaws"
import * as Host from "@switchyard/core/testing/Host"
import { layer } from "@switchyard/core/testing/MemoryPlane"
import * as ScriptedAgent from "@switchyard/core/testing/ScriptedAgent"
import * as Workflow from "@switchyard/core/Workflow"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import * as TestContext from "effect/TestContext"
import * as fc from "fast-check"

/** A step as drawn, and what undoes it. */
interface Drawn {
  readonly after: ReadonlyArray<number>
  readonly millis: number
  readonly fails: boolean
  readonly onFailure: "failRun" | "continue"
  readonly undo: { readonly millis: number; readonly fails: boolean; readonly items: number } | undefined
}

/** What happens from outside, so many milliseconds after the one before. */
interface Action {
  readonly after: number
  readonly act: "stop the host" | "cancel" | "pause" | "resume"
}

const step = (index: number): fc.Arbitrary<Drawn> =>
  fc.record({
    after: index === 0 ? fc.constant([]) : fc.uniqueArray(fc.nat(index - 1), { maxLength: 2 }),
    millis: fc.constantFrom(0, 1, 5, 20),
    fails: fc.oneof(
      { arbitrary: fc.constant(false), weight: 4 },
      { arbitrary: fc.constant(true), weight: 1 }
    ),
    onFailure: fc.constantFrom("failRun", "continue"),
    undo: fc.option(
      fc.record({
        millis: fc.constantFrom(0, 1, 10),
        fails: fc.boolean(),
        items: fc.integer({ min: 1, max: 3 })
      }),
      { freq: 4, nil: undefined }
    )
  })

const workflows = fc
  .integer({ min: 1, max: 8 })
  .chain((size) => fc.tuple(...Array.from({ length: size }, (_, index) => step(index))))

const actions = (...acts: ReadonlyArray<Action["act"]>): fc.Arbitrary<ReadonlyArray<Action>> =>
  fc.array(fc.record({ after: fc.constantFrom(0, 1, 4, 9, 15, 30), act: fc.constantFrom(...acts) }), {
    maxLength: 8
  })

const idOf = (index: number) => `s${index}`
const undoOf = (index: number) => `u${index}`

const definitionOf = (
  steps: ReadonlyArray<Drawn>,
  onStepFailure: "failFast" | "drain"
): Workflow.Definition => ({
  name: "drawn",
  onStepFailure,
  steps: steps.flatMap(({ after, onFailure, undo }, index) => [
    ...(undo === undefined
      ? []
      : [
          Workflow.stepDefinition(undoOf(index), {
            skill: "work",
            compensates: idOf(index),
            forEach: Array.from({ length: undo.items }, (_, item) => item)
          })
        ]),
    Workflow.stepDefinition(idOf(index), { skill: "work", after: after.map(idOf), onFailure, input: index })
  ])
})

/** Whether a step fails that fails its run, where nothing happens from outside. */
const isFatal = (steps: ReadonlyArray<Drawn>): boolean => {
  const succeeds: Array<boolean> = []
  let fatal = false
  for (const { after, fails, onFailure } of steps) {
    const starts = after.every((index) => succeeds[index])
    succeeds.push(starts && !fails)
    fatal ||= starts && fails && onFailure === "failRun"
  }
  return fatal
}

/** The positions in the history at which a step was begun and ended. */
const spanOf = (entries: ReadonlyArray<Entry>, stepId: string) => {
  const of = entries.filter(({ event }) => "stepId" in event && event.stepId === stepId)
  const end = of.findLast(({ event }) => /^Step(Completed|Failed|Cancelled)$/.test(event._tag))
  return { begun: of.find(({ event }) => event._tag === "ItemStarted")?.seq, ended: end?.seq ?? 0 }
}

/** What must be undone was undone, each once, the step that ended last first, and nothing else was. */
const checkUndoing = (
  steps: ReadonlyArray<Drawn>,
  entries: ReadonlyArray<Entry>,
  agent: ScriptedAgent.ScriptedAgent,
  stops: number
) => {
  const finished = entries.flatMap(({ event }) =>
    event._tag === "ItemCompleted" || (event._tag === "ItemFailed" && event.retry === undefined)
      ? [`${event.stepId}/${event.index}`]
      : []
  )
  const calls = new Map<string, Set<string>>()
  for (const { idempotencyKey, stepId } of agent.calls)
    calls.set(stepId, (calls.get(stepId) ?? new Set()).add(idempotencyKey))
  const completed = entries.at(-1)?.event._tag === "RunCompleted"
  const due = steps
    .flatMap(({ undo }, index) => (undo !== undefined && calls.has(idOf(index)) && !completed ? [index] : []))
    .sort((a, b) => spanOf(entries, idOf(b)).ended - spanOf(entries, idOf(a)).ended)
  const undone = [...calls.keys()].filter((stepId) => stepId.startsWith("u"))
  expect(undone, "what is undone, in order").toEqual(due.map(undoOf))
  let last = Math.max(...steps.map((_, index) => spanOf(entries, idOf(index)).ended))
  for (const index of due) {
    const { begun, ended } = spanOf(entries, undoOf(index))
    expect(begun, `${undoOf(index)} begins after what comes before it`).toBeGreaterThan(last)
    last = ended
    const { fails, items } = steps[index]?.undo ?? { fails: false, items: 0 }
    const ends = finished.filter((key) => key.startsWith(`${undoOf(index)}/`))
    expect(new Set(ends).size, "each item of it ends once").toBe(ends.length)
    const times = agent.calls.filter(({ stepId }) => stepId === undoOf(index)).length
    expect(times, "only what was interrupted is repeated").toBeLessThanOrEqual(items * (1 + stops))
    if (!fails) expect(ends.length, "all of it is done").toBe(items)
  }
}

/** How the run ended is what it decided before anything was undone, unless it was cancelled since. */
const checkReason = (entries: ReadonlyArray<Entry>) => {
  const decided = entries.flatMap(({ event }) => (event._tag === "RunCompensating" ? [event] : []))
  expect(decided.length).toBeLessThanOrEqual(1)
  const [first] = decided
  const last = entries.at(-1)?.event
  if (first === undefined || last?._tag !== "RunFailed") return
  expect([last.failure, last.stepId]).toEqual([first.failure, first.stepId])
}

const scenario = (
  steps: ReadonlyArray<Drawn>,
  onStepFailure: "failFast" | "drain",
  script: ReadonlyArray<Action>
): Effect.Effect<void, unknown, Plane> =>
  Effect.gen(function* () {
    const agent = ScriptedAgent.make("work", ({ index, stepId }) => {
      const drawn = steps[Number(stepId.slice(1))]
      const { fails = true, millis = 0 } = (stepId.startsWith("u") ? drawn?.undo : drawn) ?? {}
      return [
        ScriptedAgent.wait(millis),
        ...(fails ? [ScriptedAgent.fail("InvalidInput", stepId)] : [ScriptedAgent.give(`${stepId}/${index}`)])
      ]
    })
    yield* Effect.flatMap(AgentRegistry, (registry) => registry.register(agent))
    let host = yield* Host.start({ maxConcurrentRuns: 1 })
    let run = yield* host.plane.registerRun({ workflow: definitionOf(steps, onStepFailure) })
    const isOver = () => Effect.map(run.status, Run.isTerminal)
    for (const { act, after } of script) {
      yield* TestClock.adjust(after)
      if (yield* isOver()) break
      if (act === "stop the host") {
        yield* host.stop
        expect(agent.running(), "calls under way after the host stopped").toBe(0)
        host = yield* Host.start({ maxConcurrentRuns: 1 })
        const [again] = yield* host.plane.recover
        if (again === undefined) break
        run = again
      } else {
        const pause = { _tag: "Pause", mode: "interrupt" } as const
        const command = { cancel: { _tag: "Cancel" }, pause, resume: { _tag: "Resume" } } as const
        const sent = yield* Effect.either(run.control(command[act]))
        if (sent._tag === "Left") expect(sent.left._tag).toBe("IllegalCommand")
      }
    }
    for (let turn = 0; turn < 200 && !(yield* isOver()); turn++) {
      if ((yield* run.status) === "Paused") yield* run.control({ _tag: "Resume" })
      yield* TestClock.adjust(40)
    }
    expect(yield* isOver(), `the run ends, but it is ${yield* run.status}`).toBe(true)
    const { status } = yield* run.result
    const entries = yield* collect(run.events)
    yield* wellFormed(entries)
    const stops = script.filter(({ act }) => act === "stop the host").length
    checkUndoing(steps, entries, agent, stops)
    checkReason(entries)
    if (status !== "Cancelled") expect(status).toBe(isFatal(steps) ? "Failed" : "Completed")
    yield* host.stop
  })

const check = (
  steps: ReadonlyArray<Drawn>,
  onStepFailure: "failFast" | "drain",
  script: ReadonlyArray<Action>
) =>
  Effect.runPromise(
    Effect.provide(
      Effect.provide(Effect.scoped(scenario(steps, onStepFailure, script)), layer()),
      TestContext.TestContext
    )
  )

const property = (script: fc.Arbitrary<ReadonlyArray<Action>>, numRuns: number) => () =>
  fc.assert(
    fc.asyncProperty(workflows, fc.constantFrom("failFast" as const, "drain" as const), script, check),
    {
      numRuns,
      endOnFailure: false
    }
  )

describe("what undoes the steps of any workflow", () => {
  it("is done where the run fails", property(fc.constant([]), 60), 120_000)
  it("is done where the run is cancelled", property(actions("cancel", "pause", "resume"), 60), 120_000)
  it("survives stops of its host", property(actions("stop the host"), 80), 120_000)
  it("survives all of them", property(actions("stop the host", "cancel", "pause", "resume"), 100), 120_000)
})
