import { describe, expect, it } from "@effect/vitest"
import * as Agent from "@switchyard/core/Agent"
import * as AgentMetrics from "@switchyard/core/AgentMetrics"
import * as AgentRegistry from "@switchyard/core/AgentRegistry"
import { AgentId } from "@switchyard/core/Ids"
import * as Usage from "@switchyard/core/Usage"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"

const took = (durationMillis: number, failure?: Agent.AgentErrorKind) => ({
  durationMillis,
  usage: Usage.make({ inputTokens: 2, outputTokens: 1, costUsd: 0.01 }),
  failure
})

describe("histories", () => {
  it("keep a bounded number of latencies, and everything else in sums", () => {
    const history = AgentMetrics.empty()
    for (let i = 1; i <= 3_000; i++) AgentMetrics.observe(history, "write", took(i), 1_000 + i)
    expect(history.skills.get("write")?.latencies.length).toBe(1_024)
    const metrics = AgentMetrics.metricsOf(history, "write")
    expect(metrics).toMatchObject({
      totalInvocations: 3_000,
      avgLatencyMs: 1_500.5,
      p99LatencyMs: 2_990,
      totalTokens: 9_000,
      costMicroUsd: 30_000_000,
      lastInvocation: 4_000
    })
    expect(metrics.p50LatencyMs).toBeGreaterThan(2_400)
  })

  it("come back from JSON as they were, and share nothing with it", () => {
    const history = AgentMetrics.empty()
    AgentMetrics.observe(history, "write", took(5), 1_000)
    AgentMetrics.observe(history, "__proto__", took(7, "Timeout"), 2_000)
    AgentMetrics.observe(history, undefined, took(9, "Crashed"), 3_000)
    const json = AgentMetrics.encode(history)
    const text = JSON.stringify(json)
    AgentMetrics.observe(history, "write", took(5), 4_000)
    expect(JSON.stringify(json)).toBe(text)
    const again = AgentMetrics.decode(JSON.parse(text))
    if (again === undefined) throw new Error("it is a history")
    AgentMetrics.observe(again, "write", took(5), 4_000)
    expect(again).toEqual(history)
    expect(AgentMetrics.metricsOf(again).failuresByKind).toEqual({ Timeout: 1, Crashed: 1 })
    expect(AgentMetrics.metricsOf(again, "__proto__").failureCount).toBe(1)
    expect(AgentMetrics.decode({ total: 1 })).toBeUndefined()
    expect(
      AgentMetrics.decode(JSON.parse(JSON.stringify(AgentMetrics.encode(AgentMetrics.empty()))))
    ).toEqual(AgentMetrics.empty())
  })

  it("are given to a registry, and rank there", async () => {
    const agents = ["a", "b"].map((id) =>
      Agent.make(id, { capabilities: [{ skill: "write" }], run: () => Effect.succeed(null) })
    )
    const history = AgentMetrics.empty()
    for (let i = 0; i < 20; i++) AgentMetrics.observe(history, "write", took(10, "Failed"), 0)
    const chosen = await Effect.runPromise(
      Effect.gen(function* () {
        const registry = yield* AgentRegistry.make(agents)
        const before = yield* registry.selectAgent({ requiredSkills: ["write"] })
        yield* registry.recall([[AgentId.make("A"), history]])
        const { totalInvocations } = yield* registry.metrics("a", "write")
        return [before.agent.id, totalInvocations]
      })
    )
    expect(chosen).toEqual(["a", 20])
  })
})

describe("metrics of Effect", () => {
  it("count invocations by agent, skill and outcome", async () => {
    const agent = Agent.make("metered", {
      capabilities: [{ skill: "write" }],
      run: () => Effect.succeed(null)
    })
    const id = AgentId.make("metered")
    const registry = await Effect.runPromise(AgentRegistry.make([agent]))
    registry.begin(id, "write").end(took(100))
    registry.begin(id, "write").end(took(100, "Crashed"))
    registry.begin(id, "write").end(undefined)
    const found = Effect.runSync(Metric.snapshot).filter(({ metricKey }) =>
      metricKey.tags.some(({ key, value }) => key === "agent" && value === "metered")
    )
    const stateOf = (name: string, outcome?: string) =>
      found.find(
        ({ metricKey }) =>
          metricKey.name === name &&
          (outcome === undefined || metricKey.tags.some(({ value }) => value === outcome))
      )?.metricState
    expect(stateOf("switchyard_agent_invocations", "success")).toMatchObject({ count: 1 })
    expect(stateOf("switchyard_agent_invocations", "Crashed")).toMatchObject({ count: 1 })
    expect(stateOf("switchyard_agent_tokens")).toMatchObject({ count: 6 })
    expect(stateOf("switchyard_agent_cost_micro_usd")).toMatchObject({ count: 20_000 })
    expect(stateOf("switchyard_agent_duration_millis")).toMatchObject({ count: 2, sum: 200 })
  })
})
