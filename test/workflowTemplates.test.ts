import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "@effect/vitest"
import { AgentRegistry } from "@switchyard/core/AgentRegistry"
import type { RunHandle } from "@switchyard/core/ControlPlane"
import { StepId } from "@switchyard/core/Ids"
import type { Json } from "@switchyard/core/Json"
import * as Run from "@switchyard/core/Run"
import * as Host from "@switchyard/core/testing/Host"
import * as ScriptedAgent from "@switchyard/core/testing/ScriptedAgent"
import * as WorkflowFile from "@switchyard/node/WorkflowFile"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { agent, start } from "./core/engine.js"

const directory = fileURLToPath(new URL("../examples/workflows", import.meta.url))
const names = readdirSync(directory).filter((name) => name.endsWith(".yaml"))

type Answer = (input: Record<string, Json>, call: number) => Json | "fail"

/** Executes a template with agents that answer so; `meanwhile` is done once everything that can be has been done. */
const execute = (
  name: string,
  params: Json,
  answers: Readonly<Record<string, Answer>>,
  meanwhile: (run: RunHandle) => Effect.Effect<void, unknown> = () => Effect.void
) =>
  Effect.gen(function* () {
    const workflow = yield* WorkflowFile.read(join(directory, name))
    for (const [skill, answer] of Object.entries(answers)) {
      const worker = agent(skill, ({ input }, call) => {
        const value = answer(input as Record<string, Json>, call)
        return [
          value === "fail" ? ScriptedAgent.fail("NotFound", "no such thing") : ScriptedAgent.give(value)
        ]
      })
      yield* Effect.flatMap(AgentRegistry, (registry) => registry.register(worker))
    }
    const host = yield* Host.start({ groups: { provider: { concurrency: 2, perMinute: 30 } } })
    const run = yield* host.plane.registerRun({ workflow, params })
    yield* TestClock.adjust("1 second")
    yield* meanwhile(run)
    for (let hour = 0; hour < 48 && !Run.isTerminal(yield* run.status); hour++)
      yield* TestClock.adjust("1 hour")
    const result = yield* run.result
    yield* host.stop
    return result
  }).pipe(Effect.provide(start()))

const statuses = (result: {
  readonly steps: ReadonlyArray<{ readonly stepId: string; readonly status: string }>
}) => Object.fromEntries(result.steps.map(({ status, stepId }) => [stepId, status]))

describe("workflow templates", () => {
  it.each(names)("%s has less than fifty lines", (name) => {
    expect(readFileSync(join(directory, name), "utf8").trimEnd().split("\n").length).toBeLessThan(50)
  })

  it.effect("map-reduce: combines what succeeded", () =>
    Effect.gen(function* () {
      const { outputs, status } = yield* execute(
        "map-reduce.yaml",
        { files: ["a", "b", "c"] },
        {
          summarise: ({ file, language }) =>
            file === "b" ? "fail" : { text: `${file} in ${language}`, words: 4 },
          combine: (input) => input
        }
      )
      expect(status).toBe("Completed")
      const parts = ["a", "c"].map((file) => ({ file, text: `${file} in English` }))
      expect(outputs.combine).toEqual({ parts, words: 8 })
    })
  )

  const content =
    (after: number): Answer =>
    (_, call) => ({ ok: call >= after, remarks: `remark ${call}` })
  const loops = [
    [0, "draft 0", "Skipped", "Skipped"],
    [1, "draft 1", "Succeeded", "Skipped"],
    [2, "draft 2", "Succeeded", "Succeeded"],
    [9, "draft 2", "Succeeded", "Succeeded"]
  ] as const
  it.effect.each(loops)(
    "review-loop: is content after %i revisions, or gives up",
    ([after, draft, first, second]) =>
      Effect.gen(function* () {
        const result = yield* execute(
          "review-loop.yaml",
          { topic: "t" },
          { write: (_, call) => `draft ${call}`, review: content(after), publish: (input) => input }
        )
        expect(result.outputs.publish).toBe(draft)
        expect(statuses(result)).toMatchObject({ revise1: first, revise2: second, publish: "Succeeded" })
      })
  )

  it.effect("series: does each item as a run of its own, and goes without those that fail", () =>
    Effect.gen(function* () {
      const result = yield* execute(
        "series.yaml",
        { topics: ["a", "b", "c"] },
        {
          write: ({ topic }) => (topic === "b" ? "fail" : `on ${topic}`),
          review: () => ({ ok: true }),
          publish: (input) => input,
          bind: (input) => input
        }
      )
      expect(result.output).toEqual({ bound: ["on a", "on c"], missing: ["b"] })
      expect(result.summary.items).toEqual({ succeeded: 3, failed: 1 })
    })
  )

  const votes = [
    [["yes", "no", "yes"], "Succeeded", "Skipped"],
    [["yes", "no", "no"], "Skipped", "Succeeded"],
    [["yes", "fail", "yes"], "Succeeded", "Skipped"]
  ] as const
  it.effect.each(votes)("vote: %j", ([cast, act, explain]) =>
    Effect.gen(function* () {
      const result = yield* execute(
        "vote.yaml",
        { question: "?" },
        {
          judge: ({ seat }) => {
            const vote = cast[Number(String(seat).slice(-1)) - 1] ?? "no"
            return vote === "fail" ? "fail" : { vote, reason: `says ${seat}` }
          },
          act: ({ reasons = [] }) => reasons,
          explain: (input) => input
        }
      )
      expect(result.status).toBe("Completed")
      expect(statuses(result)).toMatchObject({ act, explain })
      expect(result.outputs.explain ?? "").toBe(explain === "Skipped" ? "" : "1 of 3 agreed, 2 were needed")
    })
  )

  const decide = (decision: "approve" | "reject") => (run: RunHandle) =>
    run.control({ _tag: "Decide", stepId: StepId.make("approve"), decision, by: "ann", comment: "because" })
  const changes: Readonly<Record<string, Answer>> = {
    "plan-change": () => ({ commands: ["a", "b"], summary: "two" }),
    "apply-change": (input) => input,
    notify: (input) => input
  }
  it.effect("approval-gate: applies what was approved, and tells of what was not", () =>
    Effect.gen(function* () {
      const yes = yield* execute("approval-gate.yaml", { change: "c" }, changes, decide("approve"))
      expect(yes.outputs.apply).toEqual({ commands: ["a", "b"], approvedBy: "ann" })
      expect(statuses(yes)).toMatchObject({ declined: "Skipped" })
      const no = yield* execute("approval-gate.yaml", { change: "c" }, changes, decide("reject"))
      expect([no.status, no.outputs.declined]).toEqual([
        "Completed",
        "c was not applied: ann rejected it: because"
      ])
      expect(statuses(no)).toMatchObject({ apply: "Skipped" })
      const late = yield* execute("approval-gate.yaml", { change: "c" }, changes)
      expect(late.outputs.declined).toBe("c was not applied: nobody decided within 86400000 ms")
    })
  )

  it.effect("nightly-batch: begins when it may, and reports what failed", () =>
    Effect.gen(function* () {
      let began = 0
      const result = yield* execute(
        "nightly-batch.yaml",
        { opens: "1970-01-01T05:00:00Z", items: Array.from({ length: 70 }, (_, n) => `item ${n}`) },
        {
          work: (input) => {
            began++
            return (input as unknown) === "item 7" ? "fail" : null
          },
          report: (input) => input
        },
        () => Effect.sync(() => expect(began).toBe(0))
      )
      expect(result.status).toBe("Completed")
      expect(result.outputs.report).toEqual({ done: 69, failed: [{ item: "item 7", why: "no such thing" }] })
    })
  )
})
