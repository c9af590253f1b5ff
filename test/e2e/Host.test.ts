import * as path from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { describe, expect, it } from "@effect/vitest"
import * as Agent from "@switchyard/core/Agent"
import { StepId } from "@switchyard/core/Ids"
import * as Usage from "@switchyard/core/Usage"
import * as Workflow from "@switchyard/core/Workflow"
import type { Host } from "@switchyard/node/Host"
import * as Switchyard from "@switchyard/node/Switchyard"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { temporaryDirectory } from "../node/temporary.js"

const writer = Agent.make("writer", {
  capabilities: [{ skill: "write" }],
  run: ({ input }) =>
    Effect.succeed(Agent.output(`on ${JSON.stringify(input)}`, Usage.make({ inputTokens: 100 })))
})

const article = Workflow.make("article", {
  params: Schema.Struct({ topic: Schema.String }),
  output: "{{ steps.write.output }}"
}).pipe(Workflow.step("write", { skill: "write", input: ({ params }) => params.topic }))

const issue = Workflow.make("issue", { budget: { tokens: 150 } }).pipe(
  Workflow.step("articles", {
    subworkflow: article,
    forEach: ["a", "b", "c"],
    input: { topic: "{{ item }}" }
  }),
  Workflow.step("sign", { after: ["articles"], approval: { message: "Print it?" } }),
  Workflow.step("print", { skill: "write", after: ["sign"], input: "{{ steps.articles.output }}" })
)

const until = async (condition: () => Promise<boolean>): Promise<void> => {
  while (!(await condition())) await sleep(5)
}

const open = (directory: string) => Switchyard.open({ directory, agents: [writer] })

describe("a host without Effect", () => {
  it.scopedLive("looks at a workflow before it is run", () =>
    Effect.flatMap(temporaryDirectory, (directory) =>
      Effect.promise(async () => {
        await using yard = await open(path.join(directory, "yard"))
        const odd = Workflow.make("odd").pipe(Workflow.step("a", { skill: "wriet" }))
        expect((await yard.validate(odd)).map(({ path, rule }) => [path, rule])).toEqual([
          ["steps[0].skill", "capability"]
        ])
        await expect(yard.validate({ name: "empty", steps: [] })).rejects.toThrow("add at least one")
        const dry = await yard.dryRun({ workflow: issue })
        expect(dry.steps.map(({ stepId, runs }) => [stepId, runs?.length])).toEqual([
          ["articles", 3],
          ["sign", undefined],
          ["print", undefined]
        ])
      })
    )
  )

  it.scopedLive("raises a budget, changes a workflow, decides and does a run again, over restarts", () =>
    Effect.flatMap(temporaryDirectory, (parent) =>
      Effect.promise(async () => {
        const directory = path.join(parent, "yard")
        const runId = "issue-1"
        const status = (yard: Host) => async () => (await yard.getRun(runId)).status
        {
          await using yard = await open(directory)
          const run = await yard.registerRun({ workflow: issue, id: runId })
          await until(async () => (await run.status()) === "OverBudget")
          expect((await yard.getRun(runId)).breach).toMatchObject({ dimension: "tokens", limit: 150 })
        }
        {
          await using yard = await open(directory)
          await until(async () => (await status(yard)()) === "OverBudget")
          await expect(yard.sendCommand(runId, { _tag: "Resume" })).rejects.toThrow(
            "send RaiseBudget with a higher ceiling"
          )
          await yard.sendCommand(runId, { _tag: "RaiseBudget", tokens: 1_000 })
          await until(async () => (await yard.waiting()).items.length === 1)
          const children = await yard.listRuns({ parent: runId })
          expect(children.items.map((child) => [child.runId, child.status]).sort()).toEqual(
            ["a", "b", "c"].map((_, index) => [`${runId}.articles.${index}`, "Completed"])
          )
          await yard.sendCommand(runId, { _tag: "Pause" })
          await until(async () => (await status(yard)()) === "Paused")
          const steps = issue.definition.steps.map((step) =>
            step.id === "print" ? { ...step, input: "all of {{ steps.articles.output }}" } : step
          )
          const [, ...others] = steps
          await expect(yard.migrate(runId, { ...issue.definition, steps: others })).rejects.toThrow(
            "articles"
          )
          await yard.migrate(runId, { ...issue.definition, steps })
          await yard.sendCommand(runId, { _tag: "Resume" })
        }
        {
          await using yard = await open(directory)
          const sign = { _tag: "Decide", stepId: StepId.make("sign"), decision: "approve" } as const
          await until(async () => (await yard.waiting()).items.length === 1)
          await yard.sendCommand(runId, sign)
          const { output } = await (await yard.get(runId)).result
          const printed = String((output as { readonly print: string }).print)
          expect(printed).toContain("all of")
          const again = await yard.rerun(runId, { from: { step: "print", input: "other" } })
          expect((await again.result).output).toEqual({ print: 'on "other"' })
          expect((await yard.getRun(again.runId)).origin).toMatchObject({ runId, from: "step" })
        }
      })
    )
  )
})
