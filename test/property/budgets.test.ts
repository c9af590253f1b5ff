import { describe, expect, it } from "@effect/vitest"
import { AgentRegistry } from "@switchyard/core/AgentRegistry"
import { collect, wellFormed } from "@switchyard/core/testing/ControlPlaneLaws"
import * as Host from "@switchyard/core/testing/Host"
import { layer } from "@switchyard/core/testing/MemoryPlane"
import * as ScriptedAgent from "@switchyard/core/testing/ScriptedAgent"
import * as Usage from "@switchyard/core/Usage"
import * as Workflow from "@switchyard/core/Workflow"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as TestClock from "effect/TestClock"
import * as TestContext from "effect/TestContext"

/** What one attempt uses in all, in how many parts it says so, and whether it fails then. */
interface Cost {
  readonly tokens: number
  readonly parts: number
  readonly fails: boolean
}

interface Spec {
  readonly costs: ReadonlyArray<Cost>
  readonly items: ReadonlyArray<number>
  readonly ceiling: number
  readonly ofStep: number | undefined
  readonly concurrency: number | undefined
  readonly isEstimated: boolean
  readonly stops: boolean
}

const most = 50
const cost = fc.record({ tokens: fc.nat(most), parts: fc.nat(3), fails: fc.boolean() })

const spec: fc.Arbitrary<Spec> = fc.record({
  costs: fc.array(cost, { minLength: 1, maxLength: 7 }),
  items: fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 3 }),
  ceiling: fc.integer({ min: 1, max: 400 }),
  ofStep: fc.option(fc.integer({ min: 1, max: 200 }), { nil: undefined }),
  concurrency: fc.option(fc.integer({ min: 1, max: 8 }), { nil: undefined }),
  isEstimated: fc.boolean(),
  stops: fc.boolean()
})

const workflowOf = ({ ceiling, isEstimated, items, ofStep }: Spec): Workflow.Definition => ({
  name: "drawn",
  budget: { tokens: ceiling },
  steps: items.map((count, index) =>
    Workflow.stepDefinition(`s${index}`, {
      skill: "spend",
      forEach: Array.from({ length: count }, (_, n) => n),
      retry: { attempts: 30, initial: 1 },
      ...(index === 2 ? { after: ["s0"] } : {}),
      budget: {
        ...(index === 0 && ofStep !== undefined ? { tokens: ofStep } : {}),
        ...(isEstimated ? { estimate: { tokens: most } } : { estimate: {} })
      }
    })
  )
})

const scenario = (drawn: Spec) =>
  Effect.gen(function* () {
    let peak = 0
    const agent: ScriptedAgent.ScriptedAgent = ScriptedAgent.make("spend", (_, call) => {
      peak = Math.max(peak, agent.running())
      const { fails, parts, tokens } = drawn.costs[call % drawn.costs.length] ??
        drawn.costs[0] ?? { tokens: 0, parts: 0, fails: false }
      const used = (part: number) => Usage.make({ outputTokens: Math.round((tokens * part) / parts) })
      const said = Array.from({ length: parts }, (_, part) => [
        ScriptedAgent.wait(3),
        ScriptedAgent.say({ usage: used(part + 1) })
      ])
      return [
        ...said.flat(),
        // Who always fails would never end.
        fails && call % 3 === 0
          ? ScriptedAgent.fail("Timeout")
          : ScriptedAgent.give(call, Usage.make({ outputTokens: tokens }))
      ]
    })
    yield* Effect.flatMap(AgentRegistry, (registry) => registry.register(agent))
    let host = yield* Host.start()
    let run = yield* host.plane.registerRun({
      workflow: workflowOf(drawn),
      ...(drawn.concurrency === undefined ? {} : { concurrency: drawn.concurrency })
    })
    const { runId } = run
    const ceilings = { run: drawn.ceiling, step: drawn.ofStep ?? Number.POSITIVE_INFINITY }
    for (let turn = 0; (yield* run.status) !== "Completed"; turn++) {
      expect(turn, `the run ends or stands still, but it is ${yield* run.status}`).toBeLessThan(2_000)
      yield* TestClock.adjust(5)
      if (drawn.stops && turn % 7 === 3) {
        yield* host.stop
        expect(agent.running()).toBe(0)
        host = yield* Host.start()
        run = (yield* host.plane.recover)[0] ?? (yield* host.plane.get(runId))
      }
      if ((yield* run.status) !== "OverBudget") continue
      ceilings.run += 100
      yield* run.control({ _tag: "RaiseBudget", tokens: ceilings.run })
      if (drawn.ofStep === undefined || (yield* run.status) === "Completed") continue
      ceilings.step += 100
      yield* Effect.ignore(run.control({ _tag: "RaiseBudget", stepId: "s0" as never, tokens: ceilings.step }))
    }
    const { outputs } = yield* run.result
    expect(Object.values(outputs).map((output) => (output as ReadonlyArray<unknown>).length)).toEqual(
      drawn.items
    )
    const entries = yield* collect(run.events)
    yield* wellFormed(entries)
    // What is recorded is counted once more: by item, since that is how usage is told.
    const byItem = new Map<string, number>()
    const limits: { run: number; step: number } = {
      run: drawn.ceiling,
      step: drawn.ofStep ?? Number.POSITIVE_INFINITY
    }
    const excess = drawn.isEstimated ? 0 : peak * most
    for (const { event } of entries) {
      if (event._tag === "BudgetRaised")
        limits[event.stepId === undefined ? "run" : "step"] = event.tokens ?? 0
      if (!("index" in event)) continue
      const used = () => {
        let [all, first] = [0, 0]
        for (const [key, tokens] of byItem) {
          all += tokens
          if (key.startsWith("s0/")) first += tokens
        }
        return { all, first }
      }
      if (event._tag === "ItemStarted") {
        expect(used().all, "a start where nothing is left").toBeLessThan(limits.run)
        if (event.stepId === "s0")
          expect(used().first, "a start where nothing is left").toBeLessThan(limits.step)
        continue
      }
      if (event._tag === "PermissionDenied") continue
      const usage = event._tag === "ItemProgress" ? event.usage : event.metrics.usage
      byItem.set(`${event.stepId}/${event.index}`, Usage.totalTokens(usage))
      expect(used().all, "what is used").toBeLessThanOrEqual(limits.run + excess)
      expect(used().first, "what the step has used").toBeLessThanOrEqual(limits.step + excess)
    }
    yield* host.stop
  }).pipe(Effect.scoped, Effect.provide(layer()), Effect.provide(TestContext.TestContext))

describe("budgets", () => {
  it(
    "hold whatever attempts cost, fail and are interrupted, and every run ends or stands still",
    { timeout: 240_000 },
    () =>
      fc.assert(
        fc.asyncProperty(spec, (drawn) => Effect.runPromise(scenario(drawn))),
        { numRuns: 40 }
      )
  )
})
