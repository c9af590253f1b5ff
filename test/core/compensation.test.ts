import { describe, expect, it } from "@effect/vitest"
import { AgentRegistry } from "@switchyard/core/AgentRegistry"
import { ControlPlane } from "@switchyard/core/ControlPlane"
import * as Plan from "@switchyard/core/Plan"
import { give } from "@switchyard/core/testing/ScriptedAgent"
import * as Workflow from "@switchyard/core/Workflow"
import * as WorkflowDiagram from "@switchyard/core/WorkflowDiagram"
import * as WorkflowEdit from "@switchyard/core/WorkflowEdit"
import * as Effect from "effect/Effect"
import { agent, start } from "./engine.js"

const step = (id: string, options: Workflow.StepOptions = {}) =>
  Workflow.stepDefinition(id, { ...(options.wait === undefined ? { skill: "s" } : {}), ...options })

const { definition: deploy } = Workflow.make("release").pipe(
  Workflow.step("build", { skill: "s" }),
  Workflow.step("deploy", { skill: "s", after: ["build"] }),
  Workflow.step("announce", { skill: "s", after: ["deploy"] }),
  Workflow.step("undeploy", {
    skill: "s",
    compensates: "deploy",
    when: "steps.deploy.status == 'Succeeded'",
    input: ["{{ steps.build.output }}", "{{ steps.deploy.output }}"]
  })
)

const only = <A>(values: ReadonlyArray<A>): A | undefined => (values.length === 1 ? values[0] : undefined)

const problems = (...steps: ReadonlyArray<Workflow.StepDefinition>) =>
  Effect.map(Effect.flip(Plan.make({ name: "w", steps })), (error) =>
    error.problems.map(({ message, path, rule }) => [path, rule, message])
  )

describe("a plan with steps that undo others", () => {
  it.effect("lets them look at what they undo and at what came before it", () =>
    Effect.map(Plan.make(deploy), (plan) => expect(plan.warnings).toEqual([]))
  )

  const cases: ReadonlyArray<
    readonly [
      string,
      ReadonlyArray<Workflow.StepDefinition>,
      ReadonlyArray<readonly [string, string, string]>
    ]
  > = [
    [
      "an unknown step",
      [step("deploy"), step("undo", { compensates: "deplyo" })],
      [["steps[1].compensates", "compensation", 'there is no step "deplyo"; did you mean "deploy"?']]
    ],
    [
      "the step itself",
      [step("a"), step("undo", { compensates: "undo" })],
      [
        [
          "steps[1].compensates",
          "compensation",
          '"undo" is this step itself; name the step whose effects it undoes'
        ]
      ]
    ],
    [
      "what undoes another step",
      [step("a"), step("undo", { compensates: "a" }), step("redo", { compensates: "undo" })],
      [
        [
          "steps[2].compensates",
          "compensation",
          '"undo" compensates a step itself, and what undoes something is not undone; remove one of them'
        ]
      ]
    ],
    [
      "a step that is undone already",
      [step("a"), step("undo", { compensates: "a" }), step("undo-too", { compensates: "a" })],
      [
        [
          "steps[2].compensates",
          "compensation",
          '"a" is compensated by "undo" already; let one step do it all'
        ]
      ]
    ],
    [
      "what waits for other steps",
      [step("a"), step("undo", { compensates: "a", after: ["a"], join: "allSettled" })],
      ["after", "join"].map((name) => [
        `steps[1].${name}`,
        "compensation",
        '"undo" compensates "a" and waits for no other step; remove this'
      ])
    ],
    [
      "what other steps wait for, or look at",
      [
        step("a"),
        step("undo", { compensates: "a" }),
        step("b", { after: ["undo"] }),
        step("c", { after: ["a"], input: "{{ steps.undo.output }}" })
      ],
      [
        [
          "steps[2].after[0]",
          "compensation",
          '"undo" compensates a step, so no step can wait for it; remove it'
        ],
        [
          "steps[3].input",
          "reference",
          '"undo" compensates a step, and has no output yet when this is evaluated'
        ]
      ]
    ],
    [
      "what needs no agent",
      [step("a"), step("undo", { compensates: "a", wait: { millis: 1 } })],
      [
        [
          "steps[1].wait",
          "compensation",
          "what compensates a step is done by an agent; give a skill or the id of an agent instead of wait"
        ]
      ]
    ],
    [
      "what looks at a step that need not have come before",
      [step("a"), step("b"), step("undo", { compensates: "a", input: "{{ steps.b.output }}" })],
      [
        [
          "steps[2].input",
          "reference",
          '"b" need not be settled before "a" is undone; look at "a" or at what comes before it'
        ]
      ]
    ]
  ]
  it.effect.each(cases)("refuses %s", ([, steps, expected]) =>
    Effect.map(problems(...steps), (found) => expect(found).toEqual(expected))
  )
})

describe("edits of a workflow with steps that undo others", () => {
  const shape = ({ steps }: Workflow.Definition) => steps.map(({ after, id }) => [id, ...(after ?? [])])

  it.effect("leave them alone when a step is inserted", () =>
    Effect.gen(function* () {
      const behind = yield* WorkflowEdit.insertAfter(deploy, "deploy", step("check"))
      expect(shape(behind)).toEqual([
        ["build"],
        ["deploy", "build"],
        ["check", "deploy"],
        ["announce", "check"],
        ["undeploy"]
      ])
      const first = yield* WorkflowEdit.insertAfter(deploy, [], step("ask"))
      expect(shape(first).slice(0, 2)).toEqual([["ask"], ["build", "ask"]])
      expect(shape(first).at(-1)).toEqual(["undeploy"])
    })
  )

  it.effect("remove them with what they undo, or alone", () =>
    Effect.gen(function* () {
      const without = yield* WorkflowEdit.remove(deploy, "deploy")
      expect(shape(without)).toEqual([["build"], ["announce", "build"]])
      expect(shape(yield* WorkflowEdit.remove(deploy, "undeploy"))).toEqual([
        ["build"],
        ["deploy", "build"],
        ["announce", "deploy"]
      ])
      const small = { name: "w", steps: [step("a"), step("undo", { compensates: "a" })] }
      const last = yield* Effect.flip(WorkflowEdit.remove(small, "a"))
      expect(last.message).toContain("this is the only step, and a workflow needs one")
    })
  )

  it.effect("refuse to remove what they look at, and to insert one", () =>
    Effect.gen(function* () {
      const looked = yield* Effect.flip(WorkflowEdit.remove(deploy, "build"))
      expect(looked.problems.map(({ message, path }) => [path, message])).toEqual([
        ["steps[3].input", '"undeploy" looks at steps.build.output; let it look at something else first']
      ])
      const inserted = yield* Effect.flip(
        WorkflowEdit.insertAfter(deploy, "announce", step("renounce", { compensates: "announce" }))
      )
      expect(only(inserted.problems)).toEqual({
        path: "step.compensates",
        rule: "compensation",
        message: "what compensates a step is inserted behind none; add it to the steps of the definition"
      })
    })
  )
})

describe("a picture of a workflow with steps that undo others", () => {
  it("has a line with a circle to each of them", () => {
    const mermaid = WorkflowDiagram.toMermaid(deploy).split("\n")
    expect(mermaid).toContain("  s_deploy --o s_undeploy")
    expect(mermaid.find((line) => line.startsWith("  s_undeploy["))).toContain("<br/>undoes deploy<br/>")
    const dot = WorkflowDiagram.toDot(deploy).split("\n")
    expect(dot).toContain('  "deploy" -> "undeploy" [style=dotted, arrowhead=odot]')
    const missing = WorkflowDiagram.toMermaid({ name: "w", steps: [step("undo", { compensates: "gone" })] })
    expect(missing).toContain('s_gone>"gone<br/>there is no such step"]')
  })
})

describe("a dry run of a workflow with steps that undo others", () => {
  it.effect("shows them, and does not count them", () =>
    Effect.gen(function* () {
      const registry = yield* AgentRegistry
      const usage = { inputTokens: 10, outputTokens: 0, cachedTokens: 0, costMicroUsd: 7 }
      yield* registry.register(agent("s", [give(null, usage)]))
      const plane = yield* ControlPlane
      yield* (yield* plane.registerRun({ workflow: { name: "once", steps: [step("a")] } })).result
      const dry = yield* plane.dryRun({ workflow: deploy, params: {} })
      expect(dry.steps.map(({ after, compensates, stepId }) => [stepId, after, compensates])).toEqual([
        ["build", [], undefined],
        ["deploy", ["build"], undefined],
        ["announce", ["deploy"], undefined],
        ["undeploy", [], "deploy"]
      ])
      expect([dry.estimate.costMicroUsd, dry.unknown]).toEqual([21, []])
    }).pipe(Effect.provide(start()))
  )
})
