import { describe, expect, it } from "@effect/vitest"
import { AgentRegistry, type Ticket } from "@switchyard/core/AgentRegistry"
import { type Attempt, attemptOf } from "@switchyard/core/Attempt"
import { ControlPlane } from "@switchyard/core/ControlPlane"
import type { Entry } from "@switchyard/core/Event"
import { EventLog } from "@switchyard/core/EventLog"
import * as Run from "@switchyard/core/Run"
import { collect } from "@switchyard/core/testing/ControlPlaneLaws"
import * as ScriptedAgent from "@switchyard/core/testing/ScriptedAgent"
import { type Act, fail, give, hang, say, wait } from "@switchyard/core/testing/ScriptedAgent"
import * as Workflow from "@switchyard/core/Workflow"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { start } from "./engine.js"

const usage = (n: number) => ({
  inputTokens: n,
  outputTokens: 2 * n,
  cachedTokens: n % 2,
  costMicroUsd: 7 * n
})

/** What a log says that agents did. */
const attemptsOf = (entries: ReadonlyArray<Entry>): ReadonlyArray<Attempt> => {
  const runs = new Map<string, Run.Run>()
  return entries.flatMap((entry) => {
    const run = runs.get(entry.runId) ?? Run.register(entry)
    if (run === undefined) return []
    runs.set(run.id, run)
    const attempt = attemptOf(run, entry)
    Run.apply(run, entry)
    return attempt ?? []
  })
}

const inner = Workflow.make("inner").pipe(Workflow.step("in", { skill: "work" }))

const workflow = Workflow.make("w", { onStepFailure: "drain" }).pipe(
  Workflow.step("many", {
    skill: "work",
    forEach: [0, 1, 2, 3],
    concurrency: 2,
    retry: { attempts: 3, initial: "10 millis", jitter: 0 },
    attemptTimeout: "40 millis"
  }),
  Workflow.step("named", { agent: "second", input: 9, after: ["many"] }),
  Workflow.step("child", { subworkflow: inner, after: ["named"] }),
  Workflow.step("nobody", { skill: "unheard-of", onFailure: "continue" })
)

const scripts: ReadonlyArray<ReadonlyArray<Act>> = [
  [say({ usage: usage(1) }), wait(5), fail("Unavailable")],
  [wait(3), give(1, usage(5))],
  [say({ usage: usage(2) }), hang],
  [wait(7), fail("InvalidOutput")],
  [wait(2), give(Number.NaN as never, usage(3))],
  [wait(1), fail("Failed")]
]

describe("an attempt as the log has it", () => {
  it.effect("is what the registry was told when it was answered, interrupted ones included in neither", () =>
    Effect.gen(function* () {
      const registry = yield* AgentRegistry
      yield* registry.register(
        ScriptedAgent.make("first", (_, call) => scripts[call % scripts.length] ?? [], {
          capabilities: [{ skill: "work", priority: 1 }]
        })
      )
      yield* registry.register(
        ScriptedAgent.make("second", (_, call) => [wait(4), give(call, usage(call))], {
          capabilities: [{ skill: "work" }]
        })
      )
      const told: Array<Omit<Attempt, "skill">> = []
      const begin = registry.begin
      Object.assign(registry, {
        begin: (...of: Parameters<typeof begin>): Ticket => {
          const ticket = begin(...of)
          return {
            end: (invocation) => {
              ticket.end(invocation)
              if (invocation === undefined) return
              const { durationMillis, failure, usage } = invocation
              told.push({ agentId: of[0], durationMillis, usage, failure })
            }
          }
        }
      })
      const plane = yield* ControlPlane
      const run = yield* plane.registerRun({ workflow: workflow.definition, params: {} })
      const ended = Effect.map(run.status, Run.isTerminal)
      for (let turn = 0; turn < 400 && !(yield* ended); turn++) {
        if (turn === 30) yield* run.control({ _tag: "Pause", mode: "interrupt" })
        if (turn === 40) yield* run.control({ _tag: "Resume" })
        yield* TestClock.adjust(1)
      }
      const entries = yield* Effect.flatMap(EventLog, (log) => collect(log.read({})))
      const attempts = attemptsOf(entries)
      const texts = (each: ReadonlyArray<unknown>) => each.map((one) => JSON.stringify(one)).sort()
      expect(texts(attempts.map(({ skill: _, ...attempt }) => attempt))).toEqual(texts(told))
      const seen = attempts.map(({ agentId, failure, skill }) => `${agentId} ${skill} ${failure}`)
      expect([...new Set(seen)].sort()).toEqual([
        "first work Failed",
        "first work InvalidOutput",
        "first work Timeout",
        "first work Unavailable",
        "first work undefined",
        "second undefined undefined",
        "second work undefined"
      ])
      const started = entries.filter(
        ({ event }) => event._tag === "ItemStarted" && event.childId === undefined
      )
      expect(started.length).toBeGreaterThan(attempts.length)
    }).pipe(Effect.provide(start()))
  )
})
