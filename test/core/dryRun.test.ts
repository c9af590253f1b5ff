import { describe, expect, it } from "@effect/vitest"
import { AgentRegistry } from "@switchyard/core/AgentRegistry"
import { ControlPlane } from "@switchyard/core/ControlPlane"
import { EventLog } from "@switchyard/core/EventLog"
import { give } from "@switchyard/core/testing/ScriptedAgent"
import * as Workflow from "@switchyard/core/Workflow"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { agent, start } from "./engine.js"

const usage = { inputTokens: 100, outputTokens: 50, cachedTokens: 0, costMicroUsd: 3_000 }

const workflow = Workflow.make("w", {
  params: Schema.Struct({
    files: Schema.Array(Schema.String),
    deep: Schema.optionalWith(Schema.Boolean, { default: () => false })
  })
}).pipe(
  Workflow.step("read", {
    skill: "read",
    forEach: "{{ params.files }}",
    input: { file: "{{ item }}", n: "{{ index }}" }
  }),
  Workflow.step("deeper", { skill: "read", when: "params.deep", input: "all of {{ params.files }}" }),
  Workflow.step("sum", {
    after: ["read"],
    reduce: { over: "{{ steps.read.output }}", initial: 0, value: "{{ acc + 1 }}" }
  }),
  Workflow.step("write", {
    skill: "wriet",
    after: ["sum"],
    input: "{{ steps.sum.output }}",
    join: "allSettled"
  }),
  Workflow.step("new", { agent: "fresh", after: ["sum"] })
)

describe("a dry run", () => {
  it.effect("looks into the runs that are items, as far as it is known what they are given", () =>
    Effect.gen(function* () {
      const registry = yield* AgentRegistry
      yield* registry.register(agent("read", [give("text", usage)]))
      const plane = yield* ControlPlane
      const inner = Workflow.make("inner", { params: Schema.Struct({ file: Schema.String }) }).pipe(
        Workflow.step("a", { skill: "read" }),
        Workflow.step("b", { skill: "read", after: ["a"] })
      )
      const outer = Workflow.make("outer").pipe(
        Workflow.step("known", { subworkflow: inner, forEach: ["x", "y"], input: { file: "{{ item }}" } }),
        Workflow.step("later", {
          subworkflow: inner,
          after: ["known"],
          input: { file: "{{ steps.known.output[0].b }}" }
        })
      )
      const first = yield* plane.dryRun({ workflow: outer })
      expect(first.unknown).toEqual(["known", "later"])
      yield* (yield* plane.registerRun({ workflow: inner, params: { file: "z" } })).result
      const { estimate, steps, unknown } = yield* plane.dryRun({ workflow: outer })
      const [known, later] = steps
      expect(known?.runs?.map(({ params }) => params)).toEqual([{ file: "x" }, { file: "y" }])
      expect(known?.runs?.[1]?.steps.map(({ inputs }) => inputs)).toEqual([[{ file: "y" }], [{ file: "y" }]])
      expect([estimate.tokens, unknown]).toEqual([4 * 150, ["later"]])
      expect([later?.runs, later?.estimate]).toEqual([undefined, undefined])
    }).pipe(Effect.provide(start()))
  )

  it.effect("shows agents, inputs and cost, and does nothing", () =>
    Effect.gen(function* () {
      const read = agent("read", [give("text", usage)])
      const fresh = agent("fresh", [give(null)])
      const registry = yield* AgentRegistry
      for (const each of [read, fresh]) yield* registry.register(each)
      const plane = yield* ControlPlane
      const once = Workflow.make("once").pipe(Workflow.step("a", { skill: "read" }))
      yield* (yield* plane.registerRun({ workflow: once })).result
      const head = yield* (yield* EventLog).head
      const dry = yield* plane.dryRun({ workflow, params: { files: ["a", "b"] } })
      expect(dry.params).toEqual({ files: ["a", "b"], deep: false })
      expect(
        dry.steps.map(({ after, agentId, inputs, items, stepId, stepType, when }) => ({
          stepId,
          stepType,
          after,
          agentId,
          when,
          items,
          inputs
        }))
      ).toEqual([
        {
          stepId: "read",
          stepType: "read",
          after: [],
          agentId: "read",
          when: true,
          items: 2,
          inputs: [
            { file: "a", n: 0 },
            { file: "b", n: 1 }
          ]
        },
        {
          stepId: "deeper",
          stepType: "read",
          after: [],
          agentId: "read",
          when: false,
          items: 1,
          inputs: ['all of ["a","b"]']
        },
        {
          stepId: "sum",
          stepType: "reduce",
          after: ["read"],
          agentId: undefined,
          when: true,
          items: undefined,
          inputs: undefined
        },
        {
          stepId: "write",
          stepType: "wriet",
          after: ["sum"],
          agentId: undefined,
          when: true,
          items: 1,
          inputs: undefined
        },
        {
          stepId: "new",
          stepType: "agent:fresh",
          after: ["sum"],
          agentId: "fresh",
          when: true,
          items: 1,
          inputs: [dry.params]
        }
      ])
      expect(dry.steps[0]?.selection?.candidates.map(({ agentId }) => agentId)).toEqual(["read"])
      expect(dry.steps[0]?.estimate).toMatchObject({ tokens: 300, costMicroUsd: 6_000 })
      expect(dry.estimate).toMatchObject({ tokens: 300, costMicroUsd: 6_000 })
      expect(dry.unknown).toEqual(["write", "new"])
      expect(dry.warnings.map(({ path, rule }) => [path, rule])).toEqual([["steps[3].skill", "capability"]])
      expect(dry.warnings[0]?.message).toContain("wriet")
      expect(read.calls.length).toBe(1)
      expect(yield* (yield* EventLog).head).toBe(head)
    }).pipe(Effect.provide(start()))
  )

  it.effect("refuses what cannot be run", () =>
    Effect.gen(function* () {
      const plane = yield* ControlPlane
      const wrong = yield* Effect.flip(plane.dryRun({ workflow, params: { files: 1 } as never }))
      expect(wrong._tag).toBe("InvalidParams")
      const empty = yield* Effect.flip(plane.dryRun({ workflow: { name: "w", steps: [] } }))
      expect(empty._tag).toBe("InvalidWorkflow")
    }).pipe(Effect.provide(start()))
  )
})
