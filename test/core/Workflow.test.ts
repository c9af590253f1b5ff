import { describe, expect, it } from "@effect/vitest"
import * as Workflow from "@switchyard/core/Workflow"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

const all = Workflow.make("all", {
  description: "everything that can be said",
  onStepFailure: "drain",
  concurrency: 7,
  params: Schema.Struct({ n: Schema.optionalWith(Schema.Number, { default: () => 1 }) })
}).pipe(
  Workflow.step("a", { agent: "someone", input: { x: "{{ params.n }}" } }),
  Workflow.step("b", {
    skill: "s",
    inputType: "in",
    outputType: "out",
    constraints: { maxFileSize: "1MB" },
    after: ["a"],
    when: "true",
    join: "allSettled",
    forEach: [1, "two", null],
    label: "{{ item }}",
    concurrency: 2,
    onFailure: "continue",
    onItemFailure: "continue",
    retry: { attempts: 3, initial: "1500 millis", cap: "1 minute" },
    attemptTimeout: "10 seconds",
    stepTimeout: "1 hour",
    fallback: ["other"]
  })
)

describe("a workflow", () => {
  it("is a value: adding a step leaves the one before as it was", () => {
    const base = Workflow.make("w").pipe(Workflow.step("a", { skill: "s" }))
    const more = base.pipe(Workflow.step("b", { skill: "s", after: ["a"] }))
    expect(base.definition.steps.map(({ id }) => id)).toEqual(["a"])
    expect(more.definition.steps.map(({ id }) => id)).toEqual(["a", "b"])
  })

  it.effect("survives JSON unchanged", () =>
    Effect.gen(function* () {
      const text = JSON.stringify(all.definition)
      const back = yield* Schema.decode(Schema.parseJson(Workflow.Definition))(text)
      expect(back).toEqual(all.definition)
      expect(Workflow.fromDefinition(back).definition).toEqual(all.definition)
    })
  )

  it("writes durations in milliseconds and fills in the retry policy", () => {
    expect(all.definition.steps[1]).toMatchObject({
      attemptTimeoutMillis: 10_000,
      stepTimeoutMillis: 3_600_000,
      retry: { attempts: 3, initialMillis: 1_500, factor: 2, capMillis: 60_000, jitter: 0.2 }
    })
  })

  it("describes its parameters by a JSON Schema", () => {
    expect(all.definition.params).toMatchObject({ type: "object", properties: { n: { type: "number" } } })
    expect(Workflow.make("w").definition.params).toBeUndefined()
  })
})
