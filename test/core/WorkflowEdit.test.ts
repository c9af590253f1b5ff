import { describe, expect, it } from "@effect/vitest"
import * as Workflow from "@switchyard/core/Workflow"
import * as WorkflowEdit from "@switchyard/core/WorkflowEdit"
import * as Effect from "effect/Effect"

const step = (id: string, after?: ReadonlyArray<string>, options: Workflow.StepOptions = {}) => {
  const work = options.agent === undefined && options.approval === undefined ? { skill: "s" } : {}
  return Workflow.stepDefinition(id, { ...work, ...options, ...(after === undefined ? {} : { after }) })
}

const workflow = (...steps: ReadonlyArray<Workflow.StepDefinition>): Workflow.Definition => ({
  name: "w",
  steps
})

const shape = ({ steps }: Workflow.Definition) => steps.map(({ after, id }) => [id, ...(after ?? [])])

const diamond = workflow(
  step("a"),
  step("b", ["a"]),
  step("c", ["a"]),
  step("d", ["b", "c"]),
  step("e", ["c"])
)

/** The text of the error that an edit fails with. */
const failure = (edit: Effect.Effect<Workflow.Definition, WorkflowEdit.EditError>) =>
  Effect.map(Effect.flip(edit), ({ _tag, message }) => [_tag, ...message.split("\n")])

describe("inserting a step", () => {
  const cases: ReadonlyArray<
    readonly [
      string,
      string | ReadonlyArray<string>,
      WorkflowEdit.InsertOptions,
      ReadonlyArray<ReadonlyArray<string>>
    ]
  > = [
    ["behind one", "a", {}, [["a"], ["x", "a"], ["b", "x"], ["c", "x"], ["d", "b", "c"], ["e", "c"]]],
    [
      "in the place of the one before it",
      "c",
      {},
      [["a"], ["b", "a"], ["c", "a"], ["x", "c"], ["d", "b", "x"], ["e", "x"]]
    ],
    [
      "behind several, for those only that wait for all of them",
      ["c", "b"],
      {},
      [["a"], ["b", "a"], ["c", "a"], ["x", "c", "b"], ["d", "x"], ["e", "c"]]
    ],
    [
      "behind the last one",
      "d",
      {},
      [["a"], ["b", "a"], ["c", "a"], ["d", "b", "c"], ["x", "d"], ["e", "c"]]
    ],
    [
      "before some steps",
      "a",
      { before: ["c"] },
      [["a"], ["x", "a"], ["b", "a"], ["c", "x"], ["d", "b", "c"], ["e", "c"]]
    ],
    [
      "before none",
      "a",
      { before: [] },
      [["a"], ["x", "a"], ["b", "a"], ["c", "a"], ["d", "b", "c"], ["e", "c"]]
    ],
    ["at the beginning", [], {}, [["x"], ["a", "x"], ["b", "a"], ["c", "a"], ["d", "b", "c"], ["e", "c"]]]
  ]
  it.effect.each(cases)("%s", ([, after, options, expected]) =>
    Effect.gen(function* () {
      const edited = yield* WorkflowEdit.insertAfter(diamond, after, step("x"), options)
      expect(shape(edited)).toEqual(expected)
      expect(diamond.steps).toHaveLength(5)
    })
  )

  it.effect("says everything that is wrong with where and what", () =>
    Effect.gen(function* () {
      const given = { ...step("b", ["a"]) }
      expect(yield* failure(WorkflowEdit.insertAfter(diamond, ["a", "bb"], given))).toEqual([
        "EditRefused",
        'The step "b" cannot be inserted into the workflow "w":',
        '  step.id: "b" is the id of steps[1]; give the new step another one',
        "  step.after: where a step is inserted says what it waits for; leave this out",
        '  after[1]: there is no step "bb"; did you mean "b"?'
      ])
      expect(yield* failure(WorkflowEdit.insertAfter(diamond, "zz", step("x")))).toEqual([
        "EditRefused",
        'The step "x" cannot be inserted into the workflow "w":',
        '  after: there is no step "zz"'
      ])
      const before = ["e", "f"]
      expect(yield* failure(WorkflowEdit.insertAfter(diamond, ["b", "c"], step("x"), { before }))).toEqual([
        "EditRefused",
        'The step "x" cannot be inserted into the workflow "w":',
        '  before[0]: "e" does not itself wait for b and c; choose from d',
        '  before[1]: there is no step "f"'
      ])
      expect(yield* failure(WorkflowEdit.insertAfter(diamond, [], step("x"), { before: ["b"] }))).toEqual([
        "EditRefused",
        'The step "x" cannot be inserted into the workflow "w":',
        '  before[0]: "b" waits for other steps; choose from a'
      ])
      expect(yield* failure(WorkflowEdit.insertAfter(diamond, "d", step("x"), { before: ["e"] }))).toEqual([
        "EditRefused",
        'The step "x" cannot be inserted into the workflow "w":',
        '  before[0]: "e" does not itself wait for d; leave it out'
      ])
    })
  )

  it.effect("gives the problems of the new step with their place in what would come out", () =>
    Effect.gen(function* () {
      const given = step("x", undefined, { input: "{{ steps.d.output }}" })
      expect(yield* failure(WorkflowEdit.insertAfter(diamond, "b", given))).toEqual([
        "InvalidWorkflow",
        'The workflow "w" cannot be run:',
        '  steps[2].input: "d" need not be settled before this step; add it to its after'
      ])
    })
  )

  it.effect("refuses what has not the shape of a step", () =>
    Effect.gen(function* () {
      const given = { skill: "s", retries: 3 } as unknown as WorkflowEdit.NewStep
      expect(yield* failure(WorkflowEdit.insertAfter(diamond, "b", given))).toEqual([
        "EditRefused",
        'The step "" cannot be inserted into the workflow "w":',
        '  step.retries: "retries" is not known here; did you mean "retry"?',
        "  step.id: this is missing"
      ])
      const nothing = null as unknown as WorkflowEdit.NewStep
      expect((yield* failure(WorkflowEdit.insertAfter(diamond, "b", nothing)))[0]).toBe("EditRefused")
    })
  )
})

describe("removing a step", () => {
  const cases: ReadonlyArray<readonly [string, string, ReadonlyArray<ReadonlyArray<string>>]> = [
    ["at the beginning", "a", [["b"], ["c"], ["d", "b", "c"], ["e", "c"]]],
    ["in between, nothing twice", "c", [["a"], ["b", "a"], ["d", "b", "a"], ["e", "a"]]],
    ["at the end", "d", [["a"], ["b", "a"], ["c", "a"], ["e", "c"]]]
  ]
  it.effect.each(cases)("%s", ([, id, expected]) =>
    Effect.gen(function* () {
      expect(shape(yield* WorkflowEdit.remove(diamond, id))).toEqual(expected)
    })
  )

  it.effect("puts what it waited for in its place, in its order", () =>
    Effect.gen(function* () {
      const given = workflow(
        step("a"),
        step("b"),
        step("c"),
        step("x", ["c", "b"]),
        step("y", ["a", "x", "b"])
      )
      expect(shape(yield* WorkflowEdit.remove(given, "x")).at(-1)).toEqual(["y", "a", "c", "b"])
    })
  )

  it.effect("is refused where something looks at it, with every place", () =>
    Effect.gen(function* () {
      const given = workflow(
        step("a"),
        step("b", ["a"], { when: "steps.a.output.n > 1 && steps.a.status == 'Succeeded'" }),
        step("c", ["b"], {
          forEach: '{{ steps["a"].output.list }}',
          label: "{{ item }} of {{ steps.b.output }}",
          input: { deep: ["{{ steps.a.output }}"] }
        }),
        step("d", ["c"], { approval: { message: "{{ steps[params.which].output }}" } }),
        Workflow.stepDefinition("e", {
          after: ["c"],
          reduce: { over: "{{ steps.c.output }}", initial: 0, value: "{{ acc + steps.a.output.n }}" }
        })
      )
      expect(yield* failure(WorkflowEdit.remove(given, "a"))).toEqual([
        "EditRefused",
        'The step "a" cannot be removed from the workflow "w":',
        '  steps[1].when: "b" looks at steps.a.output.n; let it look at something else first',
        '  steps[1].when: "b" looks at steps.a.status; let it look at something else first',
        '  steps[2].forEach: "c" looks at steps.a.output.list; let it look at something else first',
        '  steps[2].input: "c" looks at steps.a.output; let it look at something else first',
        '  steps[3].approval.message: "d" computes whose output it looks at, which may be "a"; write the ids of the steps out',
        '  steps[4].reduce.value: "e" looks at steps.a.output.n; let it look at something else first'
      ])
      // What need not be settled before the step that computes an id cannot be meant.
      expect(shape(yield* WorkflowEdit.remove(given, "e"))).toHaveLength(4)
    })
  )

  it.effect("is refused for a step that is not there, and for the only one", () =>
    Effect.gen(function* () {
      const refused = 'cannot be removed from the workflow "w":'
      const given = workflow(step("collect"))
      expect(yield* failure(WorkflowEdit.remove(given, "colect"))).toEqual([
        "EditRefused",
        `The step "colect" ${refused}`,
        '  stepId: there is no step "colect"; did you mean "collect"?'
      ])
      expect(yield* failure(WorkflowEdit.remove(given, "collect"))).toEqual([
        "EditRefused",
        `The step "collect" ${refused}`,
        "  steps[0]: this is the only step, and a workflow needs one; insert another one first"
      ])
    })
  )

  it.effect("tells what is wrong with the workflow that is to be edited", () =>
    Effect.gen(function* () {
      expect(yield* failure(WorkflowEdit.remove(workflow(step("a", ["a"])), "a"))).toEqual([
        "InvalidWorkflow",
        'The workflow "w" cannot be run:',
        "  steps[0].after: the steps wait for each other: a → a; remove one dependency"
      ])
    })
  )
})

describe("giving a step to another agent", () => {
  const given = workflow(
    step("a"),
    step("b", ["a"], {
      skill: "old",
      constraints: { maxFileSize: "1MB" },
      inputType: "text",
      retry: { attempts: 3 },
      stepTimeout: "1 minute",
      onFailure: "continue",
      input: "{{ steps.a.output }}"
    }),
    Workflow.stepDefinition("c", { after: ["b"], approval: {} })
  )

  it.effect("replaces who does it and how, and nothing else", () =>
    Effect.gen(function* () {
      const edited = yield* WorkflowEdit.replaceAgentPolicy(given, "b", {
        skill: "new",
        fallback: false,
        attemptTimeoutMillis: 5
      })
      expect(edited.steps[1]).toStrictEqual({
        id: "b",
        skill: "new",
        fallback: false,
        attemptTimeoutMillis: 5,
        after: ["a"],
        inputType: "text",
        onFailure: "continue",
        input: "{{ steps.a.output }}"
      })
      expect(edited.steps[0]).toBe(given.steps[0])
      expect(edited.steps[2]).toBe(given.steps[2])
    })
  )

  it.effect("is refused where no agent does it, nobody would do it, or it is about something else", () =>
    Effect.gen(function* () {
      const refused = 'cannot be given to another agent in the workflow "w":'
      expect(yield* failure(WorkflowEdit.replaceAgentPolicy(given, "c", { skill: "s" }))).toEqual([
        "EditRefused",
        `The step "c" ${refused}`,
        "  steps[2]: this is a step with approval, which needs no agent; insert one that does, and remove this one"
      ])
      expect(yield* failure(WorkflowEdit.replaceAgentPolicy(given, "B", { skill: "s" }))).toEqual([
        "EditRefused",
        `The step "B" ${refused}`,
        '  stepId: there is no step "B"; did you mean "b"?'
      ])
      expect(yield* failure(WorkflowEdit.replaceAgentPolicy(given, "b", { fallback: true }))).toEqual([
        "EditRefused",
        `The step "b" ${refused}`,
        "  policy: this does not say who does the step; give a skill or the id of an agent"
      ])
      const more = { skill: "s", id: "a" } as WorkflowEdit.AgentPolicy
      expect(yield* failure(WorkflowEdit.replaceAgentPolicy(given, "b", more))).toEqual([
        "EditRefused",
        `The step "b" ${refused}`,
        '  policy.id: "id" is not known here; there is skill, agent, constraints, fallback, select, retry, attemptTimeoutMillis, stepTimeoutMillis'
      ])
    })
  )

  it.effect("is refused where it contradicts itself, as the plan says", () =>
    Effect.gen(function* () {
      const policy = { skill: "s", agent: "x" } as WorkflowEdit.AgentPolicy
      expect(yield* failure(WorkflowEdit.replaceAgentPolicy(given, "b", policy))).toEqual([
        "InvalidWorkflow",
        'The workflow "w" cannot be run:',
        "  steps[1]: a step does one thing; of skill and agent, keep one"
      ])
    })
  )
})
