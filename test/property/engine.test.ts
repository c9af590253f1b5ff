import { describe, expect, it } from "@effect/vitest"
import { AgentRegistry } from "@switchyard/core/AgentRegistry"
import type { ControlCommand } from "@switchyard/core/Command"
import type { RunHandle } from "@switchyard/core/ControlPlane"
import type { Entry } from "@switchyard/core/Event"
import * as Run from "@switchyard/core/Run"
import { collect, type Plane, wellFormed } from "@switchyard/core/testing/ControlPlaneLaws"
import * as Host from "@switchyard/core/testing/Host"
import { layer } from "@switchyard/core/testing/MemoryPlane"
import * as ScriptedAgent from "@switchyard/core/testing/ScriptedAgent"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import * as TestContext from "effect/TestContext"
import * as fc from "fast-check"
import { definitionOf, interpret, isFatal, type Spec, scriptOf, workflows } from "./workflows.js"

/** What happens to a run from outside, `after` milliseconds after the one before. */
interface Action {
  readonly after: number
  readonly act: ControlCommand | { readonly _tag: "StopHost" }
}

const command: fc.Arbitrary<ControlCommand> = fc.oneof(
  fc.constant({ _tag: "Pause", mode: "drain" } as const),
  fc.constant({ _tag: "Pause", mode: "interrupt" } as const),
  fc.constant({ _tag: "Resume" } as const),
  fc.record({ _tag: fc.constant("SetConcurrency" as const), limit: fc.integer({ min: 1, max: 5 }) })
)

const actions = (act: fc.Arbitrary<Action["act"]>, maxLength: number): fc.Arbitrary<ReadonlyArray<Action>> =>
  fc.array(fc.record({ after: fc.constantFrom(0, 0, 1, 5, 11, 30), act }), { maxLength })

/** Watches the agent: what is under way at each start, and what the limits allow then. */
const makeWorld = () => {
  let spec: Spec = { steps: [], onStepFailure: "drain", concurrency: undefined }
  let limit = Number.POSITIVE_INFINITY
  const violations: Array<string> = []
  const perStep = new Map<string, number>()
  const script = scriptOf(() => spec)
  const agent: ScriptedAgent.ScriptedAgent = ScriptedAgent.make("work", (task, call) => {
    const running = agent.running()
    // A repetition belongs to an item that is under way already, maybe since before the limit was lowered.
    if (task.attempt === 1 && running > limit) violations.push(`${running} under way, allowed are ${limit}`)
    const cap = spec.steps[Number(task.stepId.slice(1))]?.concurrency ?? Number.POSITIVE_INFINITY
    const now = perStep.get(task.stepId) ?? 0
    if (now >= cap) violations.push(`${now + 1} of ${task.stepId} under way, allowed are ${cap}`)
    return script(task, call)
  })
  return {
    agent,
    violations,
    use: (next: Spec) => {
      spec = next
      limit = next.concurrency ?? Number.POSITIVE_INFINITY
    },
    limit: () => limit,
    allow: (next: number) => {
      limit = next
    }
  }
}

/** Holds for every history, whatever was done to the run. */
const checkHistory = (spec: Spec, entries: ReadonlyArray<Entry>) => {
  const settled = new Map<string, number>()
  const completed = new Set<string>()
  const settles = /^Step(Completed|Failed|Skipped|Cancelled)$/
  for (const { event, seq } of entries) {
    if (!("stepId" in event) || event.stepId === undefined || event._tag === "RunFailed") continue
    if (settles.test(event._tag)) {
      settled.set(event.stepId, seq)
      continue
    }
    expect(settled.has(event.stepId), `${event._tag} of ${event.stepId} after its end`).toBe(false)
    for (const dependency of spec.steps[Number(event.stepId.slice(1))]?.after ?? []) {
      expect(
        settled.get(`s${dependency}`),
        `s${dependency} has settled before ${event.stepId} starts`
      ).toBeLessThan(seq)
    }
    const key = "index" in event ? `${event.stepId}/${event.index}` : ""
    if (event._tag === "ItemStarted") expect(completed, `${key} is repeated`).not.toContain(key)
    if (event._tag === "ItemCompleted") completed.add(key)
  }
}

/** Holds for every run that was not cancelled: how it ended is what the reference says. */
const checkOutcome = (spec: Spec, run: Run.Run) => {
  const expected = interpret(spec)
  expect(run.status).toBe(isFatal(spec) ? "Failed" : "Completed")
  for (const [index, { output, status }] of expected.entries()) {
    const step = run.steps.get(`s${index}`)
    const found = step?.status
    if (run.status === "Failed") {
      // The failure may have come first: then the step was skipped or cancelled, never ended in another way.
      expect([status, "Skipped", "Cancelled"], `s${index}`).toContain(found)
      continue
    }
    expect(found, `s${index}`).toBe(status)
    if (step !== undefined && status === "Succeeded") {
      expect(Run.stepOutput(step, spec.steps[index]?.items !== undefined)).toEqual(output)
    }
  }
}

const isOver = (run: RunHandle) => Effect.map(run.status, Run.isTerminal)

/** Executes a drawn workflow, does to it what was drawn, and checks all that must hold. */
const scenario = (spec: Spec, script: ReadonlyArray<Action>): Effect.Effect<void, unknown, Plane> =>
  Effect.gen(function* () {
    const world = makeWorld()
    const registry = yield* AgentRegistry
    yield* registry.register(world.agent)
    world.use(spec)
    let host = yield* Host.start({ maxConcurrentRuns: 1 })
    let run = yield* host.plane.registerRun({ workflow: definitionOf(spec) })
    const { runId } = run
    const subscribed = yield* Effect.fork(collect(run.events))
    for (const { act, after } of script) {
      yield* TestClock.adjust(after)
      if (yield* isOver(run)) break
      if (act._tag === "StopHost") {
        yield* host.stop
        expect(world.agent.running(), "calls under way after the host stopped").toBe(0)
        host = yield* Host.start({ maxConcurrentRuns: 1 })
        const [again] = yield* host.plane.recover
        if (again === undefined) break
        run = again
        continue
      }
      const before = world.limit()
      if (act._tag === "SetConcurrency") world.allow(Math.max(before, act.limit))
      const sent = yield* Effect.either(run.control(act))
      if (act._tag === "SetConcurrency") world.allow(sent._tag === "Right" ? act.limit : before)
      if (sent._tag === "Left") expect(sent.left._tag).toBe("IllegalCommand")
    }
    for (let turn = 0; turn < 400 && !(yield* isOver(run)); turn++) {
      if ((yield* run.status) === "Paused") yield* run.control({ _tag: "Resume" })
      yield* TestClock.adjust(60)
    }
    expect(yield* isOver(run), `the run ends, but it is ${yield* run.status}`).toBe(true)
    yield* run.result
    const entries = yield* collect(run.events)
    yield* wellFormed(entries)
    checkHistory(spec, entries)
    const folded = Run.fold(entries)
    expect(folded?.id).toBe(runId)
    if (folded !== undefined && folded.cancel === undefined) checkOutcome(spec, folded)
    expect(world.violations).toEqual([])
    expect(world.agent.running(), "calls under way after the end").toBe(0)
    if (!script.some(({ act }) => act._tag === "StopHost"))
      expect(yield* subscribed, "a subscriber from the start sees the same").toEqual(entries)
    // Every slot is back: another run on the same plane gets through.
    const ends = { millis: 0, ends: "well" } as const
    const one: Spec["steps"][number] = {
      work: "agent",
      after: [],
      join: "allSucceeded",
      when: undefined,
      items: [ends, ends, ends],
      only: ends,
      concurrency: undefined,
      onFailure: "failRun",
      onItemFailure: "failStep"
    }
    world.use({ steps: [one], onStepFailure: "drain", concurrency: undefined })
    const next = yield* host.plane.registerRun({
      workflow: definitionOf({ steps: [one], onStepFailure: "drain", concurrency: undefined })
    })
    for (let turn = 0; turn < 20 && !(yield* isOver(next)); turn++) yield* TestClock.adjust(1)
    expect(yield* next.status, "a further run").toBe("Completed")
    yield* host.stop
  })

const check = (spec: Spec, script: ReadonlyArray<Action>) =>
  Effect.runPromise(
    Effect.provide(Effect.provide(Effect.scoped(scenario(spec, script)), layer()), TestContext.TestContext)
  )

const cancel: fc.Arbitrary<ControlCommand> = fc.constant({ _tag: "Cancel" } as const)
const stop = fc.constant({ _tag: "StopHost" } as const)

const property = (script: fc.Arbitrary<ReadonlyArray<Action>>, numRuns: number) => () =>
  fc.assert(fc.asyncProperty(workflows, script, check), { numRuns, endOnFailure: false })

describe("any workflow", () => {
  it("ends as the reference says", property(fc.constant([]), 100), 60_000)
  it("survives any commands", property(actions(command, 8), 120), 60_000)
  it("survives commands and a cancel", property(actions(fc.oneof(command, command, cancel), 6), 80), 60_000)
  it("survives stops of its host", property(actions(stop, 5), 60), 60_000)
  it("survives all of them", property(actions(fc.oneof(command, stop, stop, cancel), 8), 100), 60_000)
})
