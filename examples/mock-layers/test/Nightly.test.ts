import { describe, expect, it } from "@effect/vitest"
import { ControlPlane, type RunHandle, type RunResult } from "@switchyard/core/ControlPlane"
import { RunId } from "@switchyard/core/Ids"
import * as MemoryPlane from "@switchyard/core/testing/MemoryPlane"
import * as ScriptedAgent from "@switchyard/core/testing/ScriptedAgent"
import * as Usage from "@switchyard/core/Usage"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { runNightly } from "../src/Nightly.js"

const result: RunResult = {
  runId: RunId.make("fake"),
  status: "Completed",
  outputs: {},
  output: null,
  steps: [],
  summary: {
    steps: { succeeded: 1, failed: 0, skipped: 0, cancelled: 0 },
    items: { succeeded: 3, failed: 1 },
    usage: Usage.zero,
    durationMillis: 0
  },
  failure: undefined,
  failedStep: undefined,
  workspace: undefined
}

const handle: RunHandle = {
  runId: result.runId,
  events: Stream.empty,
  control: () => Effect.void,
  result: Effect.succeed(result),
  status: Effect.succeed(result.status)
}

describe("runNightly", () => {
  it.effect("with a mock of the one service it uses", () =>
    Effect.gen(function* () {
      const requests: Array<unknown> = []
      const fake = Layer.mock(ControlPlane, {
        registerRun: (request) =>
          Effect.sync(() => {
            requests.push(request.params)
            return handle
          })
      })
      expect(yield* Effect.provide(runNightly(["a", "b"]), fake)).toBe("Completed: 3 done, 1 failed")
      expect(requests).toEqual([{ documents: ["a", "b"] }])
    })
  )

  it.effect("with the real engine in memory and an agent that follows a script", () =>
    Effect.gen(function* () {
      const agent = ScriptedAgent.make("summarise", (task, call) => {
        if (task.input === "broken") return [ScriptedAgent.fail("InvalidInput", "no text in it")]
        return call === 0 ? [ScriptedAgent.fail("Unavailable")] : [ScriptedAgent.give("short")]
      })
      const plane = MemoryPlane.layer({ agents: [agent] })
      const running = yield* Effect.fork(Effect.provide(runNightly(["one", "broken", "two"]), plane))
      yield* TestClock.adjust("1 second")
      expect(yield* Fiber.join(running)).toBe("Completed: 2 done, 1 failed")
      expect(agent.calls.length).toBe(4)
    })
  )
})
