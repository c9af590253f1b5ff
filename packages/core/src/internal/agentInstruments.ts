import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"
import * as MetricKey from "effect/MetricKey"
import type { Invocation } from "../AgentMetrics.js"
import { totalTokens } from "../Usage.js"

const counter = (name: string, description: string) =>
  MetricKey.counter(name, { description, incremental: true })

const invocations = counter(
  "switchyard_agent_invocations",
  "Invocations of agents that have ended, by agent, skill and outcome."
)
const tokens = counter(
  "switchyard_agent_tokens",
  "Input and output tokens that invocations of agents used, by agent and skill."
)
const cost = counter(
  "switchyard_agent_cost_micro_usd",
  "What invocations of agents cost, in millionths of a US dollar, by agent and skill."
)
const millis = MetricKey.histogram(
  "switchyard_agent_duration_millis",
  MetricBoundaries.exponential({ start: 10, factor: 2, count: 18 }),
  "How long invocations of agents took, in milliseconds, by agent and skill."
)

/** Counts an invocation that has ended. */
export type Instruments = (agentId: string, skill: string | undefined, invocation: Invocation) => void

const make = (agent: string, skill: string) => {
  // The hook of a metric is looked up once: that takes longer than everything else about an observation.
  const counting = (key: MetricKey.MetricKey.Counter<number>) =>
    Metric.globalMetricRegistry.get(
      key.pipe(MetricKey.tagged("agent", agent), MetricKey.tagged("skill", skill)) as typeof key
    )
  const outcomes = new Map<string, ReturnType<typeof counting>>()
  return {
    outcome: (name: string) => {
      let found = outcomes.get(name)
      if (found === undefined) {
        found = counting(invocations.pipe(MetricKey.tagged("outcome", name)) as typeof invocations)
        outcomes.set(name, found)
      }
      return found
    },
    millis: Metric.globalMetricRegistry.get(
      millis.pipe(MetricKey.tagged("agent", agent), MetricKey.tagged("skill", skill)) as typeof millis
    ),
    tokens: counting(tokens),
    cost: counting(cost)
  }
}

/** Counts invocations in the metrics of Effect, which are those of the process. */
export const makeInstruments = (): Instruments => {
  const made = new Map<string, ReturnType<typeof make>>()
  return (agentId, skill = "", { durationMillis, failure, usage }) => {
    const key = `${agentId} ${skill}`
    let found = made.get(key)
    if (found === undefined) {
      found = make(agentId, skill)
      made.set(key, found)
    }
    found.outcome(failure ?? "success").update(1)
    found.millis.update(durationMillis)
    found.tokens.update(totalTokens(usage))
    found.cost.update(usage.costMicroUsd)
  }
}
