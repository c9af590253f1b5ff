import * as fs from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "@effect/vitest"
import * as Switchyard from "@switchyard/node/Switchyard"
import * as Effect from "effect/Effect"
import { temporaryDirectory } from "../node/temporary.js"
import { start } from "./process.js"
import { agents, digging } from "./programs/agents.js"

const until = async (condition: () => Promise<boolean>): Promise<void> => {
  for (let turn = 0; turn < 1_000 && !(await condition()); turn++) await new Promise(setImmediate)
  expect(await condition()).toBe(true)
}

describe("agents of a host that was killed", () => {
  it.scopedLive("are what they were, and what they did counts once, with the index and without it", () =>
    Effect.flatMap(temporaryDirectory, (parent) =>
      Effect.promise(async () => {
        const directory = path.join(parent, "yard")
        const host = start("test/e2e/programs/agents.ts", [directory])
        await host.prints("told ")
        host.child.kill("SIGKILL")
        const { stdout } = await host.ended
        const told = JSON.parse(stdout.slice(stdout.indexOf("told ") + 5))
        expect(told.dig).toMatchObject({ successCount: 18, failuresByKind: { InvalidOutput: 9 } })
        for (const lost of [false, true]) {
          if (lost) fs.rmSync(path.join(directory, "index.sqlite"))
          await using yard = await Switchyard.open({ directory, agents })
          const before = lost ? told.dig.totalInvocations + 9 : told.dig.totalInvocations
          // What it does while its history is still being read counts as well.
          await (await yard.registerRun({ workflow: digging })).result
          await until(async () => (await yard.agentMetrics("Digger")).totalInvocations >= before + 9)
          const { lastInvocation: _, ...metrics } = await yard.agentMetrics("digger")
          expect(metrics.totalInvocations).toBe(before + 9)
          const { metrics: row, skills } = await yard.getAgent("digger")
          expect(row).toMatchObject({
            totalInvocations: before + 9,
            successCount: metrics.successCount,
            failuresByKind: metrics.failuresByKind,
            totalTokens: metrics.totalTokens,
            costMicroUsd: metrics.costMicroUsd
          })
          expect(skills.map(({ skill }) => skill)).toEqual(["dig"])
          const listed = (await yard.listAgents({ registered: true })).items
          expect(listed.map(({ agentId, enabled }) => [agentId, enabled])).toEqual([
            ["broken", true],
            ["Digger", true],
            ["idler", false]
          ])
          const broken = await yard.getAgent("broken")
          expect([broken.circuit, broken.metrics.failuresByKind]).toEqual(["Open", { Crashed: 5 }])
          expect(broken.circuitUntil).toBeGreaterThan(0)
          expect(broken.skills.map(({ skill }) => skill)).toEqual(["break"])
          const { candidates, rejections } = await yard.explainSelection({ requiredSkills: ["idle"] })
          expect(candidates).toEqual([])
          expect(rejections.find(({ agentId }) => agentId === "idler")?.reason).toContain("disabled")
        }
        await using yard = await Switchyard.open({ directory, agents })
        await until(async () => (await yard.agentMetrics("Digger")).totalInvocations === 45)
        const [now, row] = [
          await yard.agentMetrics("digger", "dig"),
          (await yard.getAgent("digger")).skills[0]
        ]
        expect({ ...row?.metrics, successRate: undefined }).toEqual({ ...now, successRate: undefined })
        await yard.enableAgent("idler")
        expect((await yard.getAgent("idler")).enabled).toBe(true)
      })
    )
  )
})
