import { describe, expect, it } from "@effect/vitest"
import * as Plan from "@switchyard/core/Plan"
import type { Definition } from "@switchyard/core/Workflow"
import * as Effect from "effect/Effect"

const problems = (definition: object) =>
  Effect.map(Effect.flip(Plan.make(definition as Definition)), (error) =>
    error.problems.map(({ message, path, rule }) => `${path} ${rule} ${message}`)
  )

describe("a definition of a wrong shape", () => {
  it.effect("is looked at behind what is wrong with it", () =>
    Effect.gen(function* () {
      const found = yield* problems({
        name: "w",
        concurency: 2,
        steps: [
          { id: "a", skil: "s", concurrency: "many" },
          { id: "b", skill: "s", aftr: ["a", "zz"], when: "1 +" },
          { id: "b", skill: "s" }
        ]
      })
      expect(found).toEqual([
        'concurency unknown "concurency" is not known here; did you mean "concurrency"?',
        'steps[0].skil unknown "skil" is not known here; did you mean "skill"?',
        'steps[0].concurrency shape this must be a whole number above 0, not "many"',
        'steps[1].aftr unknown "aftr" is not known here; did you mean "after"?',
        'steps[2].id duplicate "b" is also the id of steps[1]; rename one of them',
        'steps[1].after[1] dependency there is no step "zz"',
        "steps[1].when expression Cannot evaluate `1 +`: Unexpected token: EOF"
      ])
    })
  )

  it.effect.each([
    ["an id", { id: "a b", skill: "s", after: ["x"] }, ['steps[0].id shape "a b" is not a valid StepId']],
    [
      "what a step does",
      { id: "a", skill: 1, after: ["x"] },
      ["steps[0].skill shape this must be a text that is not empty"]
    ],
    ["dependencies", { id: "a", skill: "s", after: "x" }, ["steps[0].after shape this must be a list"]],
    [
      "a name nobody knows",
      { id: "a", skill: "s", needs: ["x"] },
      ['steps[0].needs unknown "needs" is not known']
    ]
  ] as const)("says nothing about the consequences of %s that is wrong", ([, step, expected]) =>
    Effect.gen(function* () {
      const next = { id: "b", skill: "s", after: ["a"], input: "{{ steps.a.output }} {{ steps.x.output }}" }
      const x = { id: "x", skill: "s" }
      const found = yield* problems({ name: "w", steps: [step, next, x] })
      expect(found.map((each, i) => each.slice(0, expected[i]?.length))).toEqual(expected)
    })
  )

  it.effect("is one problem where a value could be of several kinds", () =>
    Effect.gen(function* () {
      const wait = (given: unknown) => problems({ name: "w", steps: [{ id: "a", wait: given }] })
      expect(yield* wait({})).toEqual(["steps[0].wait shape this needs one of millis, until, signal"])
      expect(yield* wait({ milis: 1 })).toEqual([
        'steps[0].wait.milis unknown "milis" is not known here; did you mean "millis"?'
      ])
      expect(yield* wait({ millis: -1 })).toEqual([
        "steps[0].wait.millis shape this must be a whole number not below 0 or a text that is not empty, not -1"
      ])
      expect(yield* wait("soon")).toEqual(['steps[0].wait shape this must be an object, not "soon"'])
    })
  )
})
