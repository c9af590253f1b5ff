import { describe, expect, it } from "@effect/vitest"
import { AgentRegistry } from "@switchyard/core/AgentRegistry"
import { ControlPlane } from "@switchyard/core/ControlPlane"
import * as Plan from "@switchyard/core/Plan"
import * as ScriptedAgent from "@switchyard/core/testing/ScriptedAgent"
import * as Workflow from "@switchyard/core/Workflow"
import * as Effect from "effect/Effect"
import { agent, start } from "./engine.js"

/** Does so many items one after the other, of which these fail. */
const execute = (count: number, failing: ReadonlyArray<number>, atLeast: number | string) =>
  Effect.gen(function* () {
    const worker = agent("work", ({ index }) =>
      failing.includes(index) ? [ScriptedAgent.fail("Failed", `no ${index}`)] : [ScriptedAgent.give(index)]
    )
    yield* Effect.flatMap(AgentRegistry, (registry) => registry.register(worker))
    const plane = yield* ControlPlane
    const workflow = Workflow.make("w").pipe(
      Workflow.step("each", {
        skill: "work",
        forEach: Array.from({ length: count }, (_, n) => n),
        concurrency: 1,
        onItemFailure: { atLeast }
      })
    )
    const { steps } = yield* (yield* plane.registerRun({ workflow })).result
    return { calls: worker.calls.length, status: steps[0]?.status, failure: steps[0]?.failure?.message }
  }).pipe(Effect.provide(start()))

const cases = [
  { count: 3, failing: [1], atLeast: 2, calls: 3, fails: undefined },
  { count: 3, failing: [1], atLeast: "66%", calls: 3, fails: undefined },
  { count: 3, failing: [0, 1, 2], atLeast: "0%", calls: 3, fails: undefined },
  { count: 0, failing: [], atLeast: "100%", calls: 0, fails: undefined },
  {
    count: 3,
    failing: [0],
    atLeast: "67%",
    calls: 1,
    fails: "1 of its 3 items failed, and at least 3 have to succeed; the first failure: no 0"
  },
  {
    count: 10,
    failing: [0, 1, 2, 3],
    atLeast: "80%",
    calls: 3,
    fails: "3 of its 10 items failed, and at least 8 have to succeed; the first failure: no 0"
  },
  {
    count: 2,
    failing: [1],
    atLeast: 2,
    calls: 2,
    fails: "1 of its 2 items failed, and at least 2 have to succeed; the first failure: no 1"
  }
]

describe("a threshold of success", () => {
  it.effect.each(cases)("of $atLeast: $failing of $count fail", ({ atLeast, calls, count, failing, fails }) =>
    Effect.gen(function* () {
      const found = yield* execute(count, failing, atLeast)
      expect(found).toEqual({ calls, failure: fails, status: fails === undefined ? "Succeeded" : "Failed" })
    })
  )

  it.effect("is refused where it is none, or can never be reached", () =>
    Effect.gen(function* () {
      const problems = (atLeast: number | string) =>
        Effect.map(
          Effect.flip(
            Plan.make({
              name: "w",
              steps: [
                Workflow.stepDefinition("a", { skill: "s", forEach: [1, 2], onItemFailure: { atLeast } })
              ]
            })
          ),
          (error) => error.problems.map(({ message, path }) => `${path}: ${message}`)
        )
      const place = "steps[0].onItemFailure.atLeast"
      expect(yield* problems(3)).toEqual([
        `${place}: there are only 2 items, so that 3 can never succeed; lower it`
      ])
      for (const atLeast of [0, 1.5, "80", "101%", "%"])
        expect((yield* problems(atLeast)).join()).toContain(place)
    })
  )
})
