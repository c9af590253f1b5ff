import { describe, it } from "@effect/vitest"
import { AgentRegistry } from "@switchyard/core/AgentRegistry"
import { ControlPlane } from "@switchyard/core/ControlPlane"
import * as Run from "@switchyard/core/Run"
import { collect, wellFormed } from "@switchyard/core/testing/ControlPlaneLaws"
import * as GatedAgent from "@switchyard/core/testing/GatedAgent"
import * as MemoryPlane from "@switchyard/core/testing/MemoryPlane"
import { type Definition, type StepDefinition, stepDefinition } from "@switchyard/core/Workflow"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import { expect } from "vitest"

/** A step as drawn: which of those before it, in the order of drawing, it waits for, and how. */
interface Draw {
  readonly bits: number
  readonly join: StepDefinition["join"]
  readonly when: "true" | "false" | "index"
  readonly list: boolean
  readonly fails: boolean
}

const draw: fc.Arbitrary<Draw> = fc.record({
  bits: fc.nat(255),
  join: fc.constantFrom("allSucceeded" as const, "noneFailed", "anySucceeded", "allSettled"),
  when: fc.constantFrom("true" as const, "true", "true", "false", "index"),
  list: fc.boolean(),
  fails: fc.integer({ min: 0, max: 9 }).map((n) => n === 0)
})

const made = (
  id: string,
  { bits, fails, join = "allSettled", list, when }: Draw,
  before: ReadonlyArray<string>
) => {
  const after = before.filter((_, at) => ((bits >> (at % 8)) & 1) === 1)
  const last = after.at(-1)
  return stepDefinition(id, {
    ...(fails ? { agent: "nobody" } : { skill: "work", input: id, ...(list ? { forEach: [1, 2] } : {}) }),
    onFailure: "continue",
    join,
    ...(after.length === 0 ? {} : { after }),
    ...(when === "index" && last !== undefined
      ? { when: `steps.${last}.status == "Succeeded"` }
      : { when: when === "false" ? "false" : "true" })
  })
}

const drawn = (prefix: string, draws: ReadonlyArray<Draw>, before: ReadonlyArray<StepDefinition> = []) => {
  const steps = [...before]
  for (const [index, each] of draws.entries())
    steps.push(
      made(
        `${prefix}${index}`,
        each,
        steps.map(({ id }) => id)
      )
    )
  return steps
}

type Outcome = "Succeeded" | "Failed" | "Skipped"

/** What every step of a plan comes to, given what some of them have come to already. */
const interpret = (steps: ReadonlyArray<StepDefinition>, known: ReadonlyMap<string, Outcome>) => {
  const outcomes = new Map<string, Outcome>()
  const outcomeOf = (step: StepDefinition): Outcome => {
    const settled = known.get(step.id)
    if (settled !== undefined) return settled
    const before = (step.after ?? []).map((id) => outcomes.get(id))
    const starts =
      before.length === 0 ||
      step.join === "allSettled" ||
      (step.join === "anySucceeded" && before.includes("Succeeded")) ||
      (step.join === "noneFailed" && !before.includes("Failed")) ||
      (step.join === "allSucceeded" && before.every((each) => each === "Succeeded"))
    const [, of] = /^steps\.(\w+)/.exec(step.when ?? "") ?? []
    const holds = of === undefined ? step.when === "true" : outcomes.get(of) === "Succeeded"
    if (!starts || !holds) return "Skipped"
    return step.agent === undefined ? "Succeeded" : "Failed"
  }
  // Steps stand after those that they wait for.
  for (const step of steps) outcomes.set(step.id, outcomeOf(step))
  return outcomes
}

const plan = (steps: ReadonlyArray<StepDefinition>): Definition => ({ name: "drawn", concurrency: 1, steps })

const check = (first: ReadonlyArray<Draw>, second: ReadonlyArray<Draw>, released: number, kept: number) =>
  Effect.gen(function* () {
    const plane = yield* ControlPlane
    const work = GatedAgent.make("work")
    yield* Effect.flatMap(AgentRegistry, (registry) => registry.register(work.agent))
    const before = drawn("a", first)
    const run = yield* plane.registerRun({ workflow: plan(before) })
    for (let n = 0; n < released; n++) {
      while (work.running() === 0 && !Run.isTerminal(yield* run.status)) yield* Effect.yieldNow()
      yield* work.release()
    }
    while (work.running() === 0 && !Run.isTerminal(yield* run.status)) yield* Effect.yieldNow()
    if (Run.isTerminal(yield* run.status)) return false
    yield* run.control({ _tag: "Pause" })
    yield* work.release()
    while ((yield* run.status) === "Running") yield* Effect.yieldNow()
    if (Run.isTerminal(yield* run.status)) return false
    const upToPause = Stream.takeUntil(run.events, ({ event }) => event._tag === "RunPaused")
    const seen = Run.fold(yield* collect(upToPause))
    const begun = (id: string) => {
      const state = seen?.steps.get(id)
      return state !== undefined && state.status !== "Pending"
    }
    // Of what has not begun, some is left out, and more is drawn besides; what stays waits only for what stays.
    const left = before.filter(({ id }, at) => begun(id) || ((kept >> (at % 8)) & 1) === 1)
    const ids = new Set<string>(left.map(({ id }) => id))
    const rewired = left.map((step) => {
      if (begun(step.id)) return step
      const { after = [], when = "true", ...rest } = step
      const still = after.filter((id) => ids.has(id))
      const [, of] = /^steps\.(\w+)/.exec(when) ?? []
      return {
        ...rest,
        ...(still.length === 0 ? {} : { after: still }),
        when: of === undefined || still.some((id) => id === of) ? when : "true"
      }
    })
    const after = drawn("b", second, rewired)
    yield* plane.migrate(run.runId, plan(after))
    yield* work.open
    yield* run.control({ _tag: "Resume" })
    const result = yield* run.result
    const known = new Map<string, Outcome>()
    for (const [id, { status }] of seen?.steps ?? [])
      if (Run.isSettled(status)) known.set(id, status as Outcome)
    const found = new Map(result.steps.map(({ status, stepId }) => [stepId as string, status]))
    expect(result.status).toBe("Completed")
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(interpret(after, known)))
    yield* wellFormed(yield* collect(run.events))
    const asked = work.calls.map(({ task }) => `${task.stepId}/${task.index}`)
    expect(new Set(asked).size, "nothing is done twice").toBe(asked.length)
    return true
  }).pipe(Effect.provide(MemoryPlane.layer()), Logger.withMinimumLogLevel(LogLevel.None), Effect.runPromise)

describe("a paused run whose workflow is changed where it has not begun", () => {
  it("goes on by the new plan to what that comes to, given what was settled", async () => {
    let migrated = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(draw, { minLength: 2, maxLength: 8, size: "max" }),
        fc.array(draw, { maxLength: 4, size: "max" }),
        fc.nat(5),
        fc.nat(255),
        async (first, second, released, kept) => {
          if (await check(first, second, released, kept)) migrated++
        }
      ),
      { numRuns: 200 }
    )
    expect(migrated).toBeGreaterThan(60)
  }, 120_000)
})
