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

const Planned = Schema.Struct({
  title: Schema.String,
  ready: Schema.Boolean,
  size: Schema.NullOr(Schema.Struct({ lines: Schema.Number })),
  tasks: Schema.Array(Schema.Struct({ name: Schema.String, cost: Schema.Number }))
})

const planned = Workflow.make("planned", {
  params: Schema.Struct({
    file: Schema.String,
    files: Schema.Array(Schema.String),
    strict: Schema.Boolean,
    since: Schema.Date,
    limit: Schema.optionalWith(Schema.Number, { default: () => 10 })
  })
}).pipe(
  Workflow.step("plan", { skill: "s", output: Planned }),
  Workflow.step("other", { skill: "s" }),
  Workflow.step("load-data", { skill: "s", after: ["plan"] })
)

/** Never called: a step that looks at what it cannot see does not compile, whichever way it looks. */
const looks = () => {
  const { step } = Workflow

  // A step sees its ancestors, however far, and nothing else.
  planned.pipe(step("x", { skill: "s", after: ["plan"], input: ({ steps }) => steps.plan.output }))
  planned.pipe(step("x", { skill: "s", after: ["load-data"], input: ({ steps }) => steps.plan.output.title }))
  planned.pipe(step("x", { skill: "s", input: ({ steps }) => ({ ...steps }), after: ["load-data"] }))
  // @ts-expect-error a step that is there, but is no ancestor
  planned.pipe(step("x", { skill: "s", after: ["plan"], input: ({ steps }) => steps.other.output }))
  // @ts-expect-error a step that is there, but is no ancestor, whose id is no name
  planned.pipe(step("x", { skill: "s", after: ["plan"], input: ({ steps }) => steps["load-data"].output }))
  // @ts-expect-error a step without `after` has no ancestors
  planned.pipe(step("x", { skill: "s", input: ({ steps }) => steps.plan.output }))
  // @ts-expect-error the step itself
  planned.pipe(step("x", { skill: "s", after: ["plan"], input: ({ steps }) => steps.x.output }))
  // @ts-expect-error a step that does not exist
  planned.pipe(step("x", { skill: "s", after: ["plan"], when: ({ steps }) => steps.plann.output.ready }))
  // @ts-expect-error what a step does not have
  planned.pipe(step("x", { skill: "s", after: ["plan"], input: ({ steps }) => steps.plan.outputs }))
  // @ts-expect-error what its output does not have
  planned.pipe(step("x", { skill: "s", after: ["plan"], input: ({ steps }) => steps.plan.output.titel }))
  // @ts-expect-error items of a step without forEach
  planned.pipe(step("x", { skill: "s", after: ["plan"], input: ({ steps }) => steps.plan.items }))
  // @ts-expect-error members of an output that no schema describes
  planned.pipe(step("x", { skill: "s", after: ["other"], input: ({ steps }) => steps.other.output.title }))
  // @ts-expect-error a parameter that is not declared
  planned.pipe(step("x", { skill: "s", input: ({ params }) => ({ file: params.fiel }) }))
  // @ts-expect-error an item where there are none
  planned.pipe(step("x", { skill: "s", input: ({ item }) => item }))
  // @ts-expect-error what a run does not have
  planned.pipe(step("x", { skill: "s", input: ({ run }) => run.name }))
  planned.pipe(
    step("x", {
      skill: "s",
      forEach: ({ params }) => params.files,
      // @ts-expect-error a member that the item does not have
      input: ({ item }) => item.name
    })
  )
  // @ts-expect-error a function of a workflow that is not known
  step("x", { skill: "s", input: ({ params }) => params.file })
  // @ts-expect-error a function where there is no workflow
  Workflow.stepDefinition("x", { skill: "s", input: ({ params }) => params.file })

  // What a function gives has the type of its place.
  // @ts-expect-error a condition that is a text
  planned.pipe(step("x", { skill: "s", when: ({ params }) => params.file }))
  // @ts-expect-error a condition that is computed before there is anything to compute with
  planned.pipe(step("x", { skill: "s", when: ({ params }) => !params.strict }))
  // @ts-expect-error a list that is a text
  planned.pipe(step("x", { skill: "s", forEach: ({ params }) => params.file }))
  // @ts-expect-error a list of which nothing is known
  planned.pipe(step("x", { skill: "s", after: ["other"], forEach: ({ steps }) => steps.other.output }))
  // @ts-expect-error a time that is a text
  planned.pipe(step("x", { wait: { millis: ({ params }) => params.file } }))
  // @ts-expect-error what JSON cannot carry
  planned.pipe(step("x", { skill: "s", input: () => ({ at: new Date(0) }) }))
  // @ts-expect-error nothing
  planned.pipe(step("x", { skill: "s", input: () => undefined }))
  const summed = { over: [1, 2], initial: 0 } as const
  // @ts-expect-error a sum that becomes a text
  planned.pipe(step("x", { reduce: { ...summed, value: ({ params }) => params.file } }))
  // @ts-expect-error a text as a part of an expression
  planned.pipe(step("x", { skill: "s", input: () => Workflow.cel`size(${Workflow.text`a`})` }))
  // @ts-expect-error a reference inside a value of a text
  planned.pipe(step("x", { skill: "s", input: ({ params }) => Workflow.text`${{ file: params.file }}` }))
}

/** Never called: texts are checked as far as they are literals. */
const reads = (text: string, number: number, json: { readonly [key: string]: string }) => {
  const { step } = Workflow

  planned.pipe(step("x", { skill: "s", after: ["load-data"], input: "{{ steps.plan.output }}" }))
  planned.pipe(step("x", { skill: "s", after: ["load-data"], input: '{{ steps["load-data"].output }}' }))
  planned.pipe(step("x", { skill: "s", input: "steps.other is no expression here, params.fiel neither" }))
  planned.pipe(
    step("x", { skill: "s", when: "params.file != 'steps.other' && params.file != \"params.fiel\"" })
  )
  planned.pipe(step("x", { skill: "s", when: "params.files.exists(each, each.steps.other == 1)" }))
  planned.pipe(step("x", { skill: "s", when: "params.file == 'it\\'s steps.other'" }))
  planned.pipe(step("x", { skill: "s", input: text, when: `steps.${text}.output`, after: ["plan"] }))
  planned.pipe(step("x", { skill: "s", input: `{{ steps.s${number}.output + steps["t${number}"].output }}` }))
  planned.pipe(step("x", { skill: "s", input: json, label: text, forEach: text }))
  untyped.pipe(step("x", { skill: "s", input: "{{ params.anything }}" }))
  Workflow.fromDefinition(planned.definition).pipe(step("x", { skill: "s", input: "{{ steps.any.output }}" }))

  // @ts-expect-error a step that does not exist
  planned.pipe(step("x", { skill: "s", after: ["plan"], input: "{{ steps.plann.output }}" }))
  // @ts-expect-error a step that is no ancestor
  planned.pipe(step("x", { skill: "s", after: ["plan"], input: "{{ steps.other.output }}" }))
  // @ts-expect-error nor is the step itself
  planned.pipe(step("x", { skill: "s", after: ["plan"], input: "{{ steps.x.output }}" }))
  // @ts-expect-error however deep it stands, and after whatever else
  planned.pipe(step("x", { skill: "s", input: [1, { b: "{{ params.file }}: {{ steps.other.output }}" }] }))
  // @ts-expect-error in brackets, too
  planned.pipe(step("x", { skill: "s", after: ["plan"], input: '{{ steps["load-data"].output }}' }))
  // @ts-expect-error in a condition
  planned.pipe(step("x", { skill: "s", after: ["plan"], when: "steps.other.output > 1" }))
  // @ts-expect-error after a quoted text
  planned.pipe(step("x", { skill: "s", when: "params.file == 'it' && steps.other.output == \"x\"" }))
  // @ts-expect-error in a list
  planned.pipe(step("x", { skill: "s", forEach: "{{ steps.other.output }}" }))
  // @ts-expect-error in a label
  planned.pipe(step("x", { skill: "s", forEach: [1], label: "{{ steps.other.output }}" }))
  // @ts-expect-error in what is to be decided
  planned.pipe(step("x", { approval: { message: "Is {{ steps.other.output }} good?" } }))
  // @ts-expect-error in a time
  planned.pipe(step("x", { wait: { until: "{{ steps.other.output }}" } }))
  // @ts-expect-error in a map
  planned.pipe(step("x", { map: { over: [1], value: "{{ steps.other.output }}" } }))
  // @ts-expect-error in its condition
  planned.pipe(step("x", { map: { over: [1], value: 1, where: "steps.other.output > item" } }))
  // @ts-expect-error in a reduce
  planned.pipe(step("x", { reduce: { over: "{{ steps.other.output }}", initial: 0, value: 1 } }))
  // @ts-expect-error in its beginning
  planned.pipe(step("x", { reduce: { over: [1], initial: "{{ steps.other.output }}", value: 1 } }))
  // @ts-expect-error a parameter that is not declared
  planned.pipe(step("x", { skill: "s", when: "params.strickt" }))
  // @ts-expect-error in a template
  planned.pipe(step("x", { skill: "s", input: { file: "{{ params.fiel }}" } }))
  // @ts-expect-error without a pipe, too
  step("x", { skill: "s", when: "steps.other.output > 1" })(planned)
  const early = step("x", { skill: "s", after: ["plan"], input: "{{ steps.other.output }}" })
  // @ts-expect-error and for a step that was made before
  planned.pipe(early)

  // @ts-expect-error an option that a retry does not have
  planned.pipe(step("x", { skill: "s", retry: { attempts: 3, attemps: 3 } }))
  // @ts-expect-error an option that an approval does not have
  planned.pipe(step("x", { approval: { mesage: "Good?" } }))
}

const given = planned.pipe(
  Workflow.step("each", {
    skill: "s",
    after: ["plan"],
    output: Schema.Struct({ words: Schema.NumberFromString }),
    forEach: ({ steps }) => steps.plan.output.tasks,
    label: ({ item }) => item.name,
    input: (all) => {
      expectTypeOf(all.item).toEqualTypeOf<
        Workflow.Reference<{ readonly name: string; readonly cost: number }>
      >()
      expectTypeOf(all.index).toEqualTypeOf<Workflow.Reference<number>>()
      expectTypeOf(all.params.files).toEqualTypeOf<Workflow.Reference<ReadonlyArray<string>>>()
      expectTypeOf(all.params.files.at(0)).toEqualTypeOf<Workflow.Reference<string>>()
      expectTypeOf(all.params.since).toEqualTypeOf<Workflow.Reference<string>>()
      expectTypeOf(all.params.limit).toEqualTypeOf<Workflow.Reference<number>>()
      expectTypeOf(all.run.id).toEqualTypeOf<Workflow.Reference<string>>()
      expectTypeOf<keyof typeof all.steps>().toEqualTypeOf<"plan">()
      expectTypeOf(all.steps.plan.output.size.lines).toEqualTypeOf<Workflow.Reference<number>>()
      expectTypeOf(all.steps.plan.failure.kind).toEqualTypeOf<Workflow.Reference<string>>()
      return { cost: all.item.cost }
    }
  }),
  Workflow.step("names", {
    after: ["plan"],
    map: {
      over: ({ steps }) => steps.plan.output.tasks,
      where: ({ item }) => Workflow.cel`${item.cost} > 3`,
      value: ({ item }) => ({ name: item.name, tags: ["a", Workflow.text`#${item.name}`] })
    }
  }),
  Workflow.step("sum", {
    after: ["names"],
    reduce: {
      over: ({ params }) => params.files,
      initial: 0,
      value: ({ acc, index, item }) => Workflow.cel`${acc} + ${index} + size(${item})`
    }
  }),
  Workflow.step("ask", { after: ["sum"], approval: {} }),
  Workflow.step("nap", { after: ["ask"], wait: { millis: 3 } }),
  Workflow.step("told", {
    after: ["nap"],
    wait: { signal: "s" },
    output: Schema.Struct({ version: Schema.Number })
  }),
  Workflow.step("plain", { after: ["told"], map: { over: ["a"], value: "{{ item }}" } }),
  Workflow.step("last", { skill: "s", after: ["plain", "each"] })
)

/** What the builder knows of each step. */
type StepsOf<W> = W extends Workflow.Workflow<infer _, infer Steps> ? Steps : never
type OutputOf<Id extends keyof StepsOf<typeof given>> = StepsOf<typeof given>[Id]["output"]

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

  it("refuse references to what an expression cannot see", () => {
    expectTypeOf(looks).toBeFunction()
    expectTypeOf(reads).toBeFunction()
  })

  it("know what each step gives", () => {
    expectTypeOf<OutputOf<"each">>().toEqualTypeOf<ReadonlyArray<{ readonly words: string }>>()
    expectTypeOf<OutputOf<"names">>().toEqualTypeOf<
      ReadonlyArray<{ readonly name: string; readonly tags: ReadonlyArray<string> }>
    >()
    expectTypeOf<OutputOf<"sum">>().toEqualTypeOf<number>()
    expectTypeOf<OutputOf<"ask">>().toEqualTypeOf<{
      readonly decision: "approve"
      readonly by: string | null
      readonly comment: string | null
    }>()
    expectTypeOf<OutputOf<"told">>().toEqualTypeOf<{ readonly version: number }>()
    expectTypeOf<OutputOf<"plain">>().toEqualTypeOf<ReadonlyArray<unknown>>()
    expectTypeOf<OutputOf<"last">>().toEqualTypeOf<unknown>()
  })

  it("know what is settled before each step", () => {
    type Steps = StepsOf<typeof given>
    expectTypeOf<Steps["load-data"]["before"]>().toEqualTypeOf<"plan">()
    expectTypeOf<Steps["last"]["before"]>().toEqualTypeOf<
      "plan" | "each" | "names" | "sum" | "ask" | "nap" | "told" | "plain"
    >()
  })

  it("give a handle, or the errors that a request can have", () => {
    type Registered = ReturnType<ControlPlane.Service["registerRun"]>
    expectTypeOf<Effect.Effect.Success<Registered>>().toEqualTypeOf<ControlPlane.RunHandle>()
    expectTypeOf<Effect.Effect.Error<Registered>>().toEqualTypeOf<ControlPlane.RegisterError>()
  })
})
