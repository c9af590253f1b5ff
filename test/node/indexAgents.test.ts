import * as path from "node:path"
import { describe, expect, it } from "@effect/vitest"
import { metricsOf, observe } from "@switchyard/core/AgentMetrics"
import { agentDetails } from "@switchyard/core/AgentRow"
import { continued, historyOf } from "@switchyard/core/AgentTally"
import type { Entry } from "@switchyard/core/Event"
import { agentsOf, foldOf } from "@switchyard/core/internal/logFold"
import * as Usage from "@switchyard/core/Usage"
import { connect } from "@switchyard/node/internal/indexConnection"
import { makeQueries } from "@switchyard/node/internal/indexQueries"
import { openProjection } from "@switchyard/node/internal/projection"
import Database from "better-sqlite3"
import * as Effect from "effect/Effect"
import { sampleLog } from "./indexSamples.js"
import { dump } from "./indexTables.js"
import { temporaryDirectory } from "./temporary.js"

/** A log in which every answer took another time, so that it shows which of them are kept. */
const log: ReadonlyArray<Entry> = [...sampleLog(1_600)]
  .flat()
  .map((entry) => ({ ...entry, time: 10_000 + entry.seq ** 2 }))

const projected = (file: string, size: number): string => {
  const projection = openProjection(file)
  for (let at = 0; at < log.length; at += size) projection.project(log.slice(at, at + size))
  projection.close()
  return file
}

describe("what the index keeps of an agent", () => {
  it.scoped("is bounded, the same in whatever batches it came, and enough for its figures", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const [file, other] = [
        projected(path.join(directory, "a"), 57),
        projected(path.join(directory, "b"), 9_000)
      ]
      expect(dump(file)).toEqual(dump(other))
      const database = new Database(file, { readonly: true })
      const kept = database.prepare("SELECT SUM(kept) FROM agent_latest").pluck().get()
      database.close()
      expect(kept).toBeGreaterThanOrEqual(1_024)
      expect(kept).toBeLessThan(1_024 + 256)
      const query = makeQueries(yield* connect(file))
      const [agent] = agentsOf(foldOf(log))
      const details = yield* query.getAgent("agent")
      expect(details).toEqual(agent && agentDetails(agent.key, agent.record, agent.history()))
      expect(details.metrics.totalInvocations).toBe(1_510)
      const times = log.flatMap(({ event, seq }) => (/^ItemCompleted/.test(event._tag) ? [seq] : []))
      const latest = times.slice(-1_024).map((seq) => seq ** 2 - (seq - 2) ** 2)
      expect(details.metrics.p50LatencyMs).toBe(latest.sort((a, b) => a - b)[511])
    })
  )

  it("goes on in a registry as if it had been there all the time", () => {
    const tallies = () => [...(foldOf(log).book.tallies.get("agent")?.values() ?? [])]
    const whole = historyOf(tallies())
    const later = { durationMillis: 5, usage: Usage.make({ inputTokens: 3 }), failure: undefined } as const
    const since = historyOf([])
    for (let n = 0; n < 1_500; n++) {
      const invocation = { ...later, durationMillis: n }
      observe(whole, "work", invocation, 300_000_000 + n)
      observe(since, "work", invocation, 300_000_000 + n)
      if (n !== 10 && n !== 1_499) continue
      const sum = continued(historyOf(tallies()), since)
      for (const skill of [undefined, "work"]) expect(metricsOf(sum, skill)).toEqual(metricsOf(whole, skill))
      const [weights, wanted] = [sum.total.weights, whole.total.weights]
      expect(weights.successes).toBeCloseTo(wanted.successes, 6)
      expect(weights.latencyMillis / wanted.latencyMillis).toBeCloseTo(1, 6)
      observe(sum, "work", later, 310_000_000)
      expect(sum.total.latencies.length).toBe(1_024)
    }
  })
})
