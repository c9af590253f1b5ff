import { describe, expectTypeOf, it } from "@effect/vitest"
import type * as ControlPlane from "@switchyard/core/ControlPlane"
import * as Workflow from "@switchyard/core/Workflow"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

const typed = Workflow.make("typed", {
  params: Schema.Struct({
    texts: Schema.Array(Schema.String),
    since: Schema.Date,
    limit: Schema.optionalWith(Schema.Number, { default: () => 10 })
  })
}).pipe(Workflow.step("first", { skill: "s" }), Workflow.step("second", { skill: "s", after: ["first"] }))

const untyped = Workflow.make("untyped").pipe(Workflow.step("only", { skill: "s" }))

type ParamsOf<W> = W extends Workflow.Workflow<infer Params, infer _> ? Params : never

/** Never called: what is in here has to compile, or not to. */
const compiles = (plane: ControlPlane.Service, definition: Workflow.Definition) => {
  const params = { texts: ["a"], since: "2026-01-01" }

  plane.registerRun({ workflow: typed, params })
  plane.registerRun({ workflow: typed, params: { ...params, limit: 3 }, id: "x", tags: ["a"] })
  plane.registerRun({ workflow: untyped })
  plane.registerRun({ workflow: untyped, params: { anything: 1 } })
  plane.registerRun({ workflow: definition, params: { anything: 1 } })

  // @ts-expect-error parameters that the workflow declares are required
  plane.registerRun({ workflow: typed })
  // @ts-expect-error of their type
  plane.registerRun({ workflow: typed, params: { ...params, texts: [1] } })
  // @ts-expect-error in their encoded form
  plane.registerRun({ workflow: typed, params: { ...params, since: new Date(0) } })
  // @ts-expect-error and complete
  plane.registerRun({ workflow: typed, params: { texts: [] } })

  // @ts-expect-error a dependency on a step that does not exist
  typed.pipe(Workflow.step("third", { skill: "s", after: ["nowhere"] }))
  // @ts-expect-error and one that undoes a step that does not
  typed.pipe(Workflow.step("third", { skill: "s", compensates: "nowhere" }))
  typed.pipe(Workflow.step("third", { skill: "s", compensates: "first" }))
  const early = Workflow.step("a", { skill: "s", after: ["b"] })
  // @ts-expect-error a dependency on a step that comes later
  Workflow.make("w").pipe(early, Workflow.step("b", { skill: "s" }))
  // @ts-expect-error a step that waits for itself
  Workflow.make("w").pipe(Workflow.step("a", { skill: "s", after: ["a"] }))
  // @ts-expect-error an id that exists
  typed.pipe(Workflow.step("first", { skill: "s" }))
  // @ts-expect-error a join rule that does not exist
  typed.pipe(Workflow.step("third", { skill: "s", join: "someSucceeded" }))
  // @ts-expect-error an option that does not exist
  typed.pipe(Workflow.step("third", { skill: "s", retries: 3 }))
}

describe("the types of a workflow", () => {
  it("carry the parameters as a host writes them", () => {
    expectTypeOf<ParamsOf<typeof typed>>().toEqualTypeOf<{
      readonly texts: ReadonlyArray<string>
      readonly since: string
      readonly limit?: number | undefined
    }>()
    expectTypeOf<ParamsOf<typeof untyped>>().toEqualTypeOf<unknown>()
  })

  it("require parameters exactly where they are declared", () => {
    expectTypeOf<ControlPlane.ParamsOf<{ readonly a: string }>>().toEqualTypeOf<{
      readonly params: { readonly a: string }
    }>()
    expectTypeOf<ControlPlane.ParamsOf<unknown>>().toEqualTypeOf<{ readonly params?: unknown }>()
  })

  it("refuse what cannot be run before it runs", () => {
    expectTypeOf(compiles).toBeFunction()
  })

  it("give a handle, or the errors that a request can have", () => {
    type Registered = ReturnType<ControlPlane.Service["registerRun"]>
    expectTypeOf<Effect.Effect.Success<Registered>>().toEqualTypeOf<ControlPlane.RunHandle>()
    expectTypeOf<Effect.Effect.Error<Registered>>().toEqualTypeOf<ControlPlane.RegisterError>()
  })
})
