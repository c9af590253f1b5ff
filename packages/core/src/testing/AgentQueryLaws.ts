import * as Effect from "effect/Effect"
import { AgentRegistry } from "../AgentRegistry.js"
import { type AgentDetails, type AgentFilter, agentDetails, agentRow } from "../AgentRow.js"
import * as Capability from "../Capability.js"
import type { AgentRegistryEvent, EventOf } from "../Event.js"
import type { EventLog } from "../EventLog.js"
import { AgentId, logId } from "../Ids.js"
import { agentsOf, foldLog } from "../internal/logFold.js"
import type { Paging, Service } from "../QueryService.js"
import * as Workflow from "../Workflow.js"
import type { Plane } from "./ControlPlaneLaws.js"
import { equal, fails, holds, type Law } from "./Law.js"
import { law } from "./QueryLaws.js"
import * as ScriptedAgent from "./ScriptedAgent.js"
import { fail, give } from "./ScriptedAgent.js"

const registered = (id: string, skills: ReadonlyArray<string>, more: object = {}): AgentRegistryEvent => ({
  _tag: "AgentRegistered",
  agentId: AgentId.make(id),
  revision: 1,
  metadata: { name: `Name of ${id}`, version: "1.0.0", description: "Écrit", author: "", tags: ["tagged"] },
  capabilities: skills.map((skill) => Capability.make({ skill })),
  ...more
})

/** The ids that are listed, a page of two at a time. */
const listed = (query: Service, filter: AgentFilter) =>
  Effect.gen(function* () {
    const ids: Array<string> = []
    let paging: Paging = { limit: 2 }
    for (;;) {
      const { items, next } = yield* query.listAgents(filter, paging)
      yield* holds("a page is no longer than asked for", items.length <= 2, items)
      ids.push(...items.map(({ agentId }) => agentId))
      if (next === undefined) return ids
      paging = { limit: 2, cursor: next }
    }
  })

const metricsOf = ({ metrics, skills }: AgentDetails) => ({ metrics, skills })

/** The rows of agents are what the log says. */
const agreesOn = (log: EventLog["Type"], query: Service) =>
  Effect.gen(function* () {
    yield* query.sync
    const agents = agentsOf(yield* foldLog(log))
    const rows = agents.map(({ history, key, record }) => agentRow(key, record, history()))
    yield* equal("the rows of agents", (yield* query.listAgents({}, { limit: 1_000 })).items, rows)
    for (const { history, key, record } of agents)
      yield* equal(`all of ${key}`, yield* query.getAgent(key), agentDetails(key, record, history()))
  })

/** What every read side promises about agents. */
export const AgentQueryLaws: ReadonlyArray<Law<Plane>> = [
  law("knows agents by what is recorded of them", ({ log, query }) =>
    Effect.gen(function* () {
      const one = AgentId.make("Agent-1")
      yield* log.append(logId, [
        registered("Agent-1", ["read", "write"], { kind: "process", definition: { a: 1 }, source: "a.yaml" }),
        registered("agent-2", ["write"]),
        registered("agent-3", ["read"]),
        { _tag: "AgentDisabled", agentId: one },
        { _tag: "AgentHealthChanged", agentId: one, health: { _tag: "Degraded", reason: "slow" } },
        { _tag: "AgentCircuitChanged", agentId: one, circuit: "Open", until: 9_000, reason: "it failed" },
        { _tag: "AgentHeld", agentId: one, until: 8_000, reason: "a limit" },
        { _tag: "AgentUnregistered", agentId: AgentId.make("agent-3") },
        { _tag: "AgentEnabled", agentId: AgentId.make("never-there") }
      ])
      yield* query.sync
      const { metrics, registeredAt, skills, ...row } = yield* query.getAgent("AGENT-1")
      yield* holds("when it was registered", registeredAt !== null, registeredAt)
      yield* equal("nothing was done", [metrics.totalInvocations, metrics.successRate, skills], [0, null, []])
      yield* equal("its row", row, {
        agentId: one,
        name: "Name of Agent-1",
        metadata: {
          name: "Name of Agent-1",
          version: "1.0.0",
          description: "Écrit",
          author: "",
          tags: ["tagged"]
        },
        capabilities: ["read", "write"].map((skill) => Capability.make({ skill })),
        kind: "process",
        source: "a.yaml",
        revision: 1,
        registered: true,
        enabled: false,
        health: { _tag: "Degraded", reason: "slow" },
        circuit: "Open",
        circuitUntil: 9_000,
        circuitReason: "it failed",
        heldUntil: 8_000,
        heldReason: "a limit"
      })
      const wanted: ReadonlyArray<readonly [AgentFilter, ReadonlyArray<string>]> = [
        [{ text: "agent-" }, ["Agent-1", "agent-2", "agent-3"]],
        [{ skill: "read" }, ["Agent-1", "agent-3"]],
        [{ skill: "read", registered: true }, ["Agent-1"]],
        [{ registered: false }, ["agent-3"]],
        [{ skill: "write", enabled: true }, ["agent-2"]],
        [{ health: "Degraded" }, ["Agent-1"]],
        [{ text: "NAME OF AGENT-2" }, ["agent-2"]],
        [{ text: "écrit", enabled: false }, ["Agent-1"]],
        [{ text: "% _" }, []],
        [{ skill: "other" }, []]
      ]
      for (const [filter, ids] of wanted)
        yield* equal(JSON.stringify(filter), yield* listed(query, filter), ids)
      const unknown = yield* fails("another one", "AgentUnknown", query.getAgent("agnet-2"))
      yield* holds("what was meant", unknown.message.includes(`did you mean "agent-2"?`), unknown.message)
    })
  ),

  law("has the same figures of an agent as the registry, in all and by skill", ({ log, plane, query }) =>
    Effect.gen(function* () {
      const registry = yield* AgentRegistry
      const usage = { inputTokens: 10, outputTokens: 5, cachedTokens: 0, costMicroUsd: 70 }
      const busy = ScriptedAgent.make(
        "Busy",
        (_, call) => [call % 3 === 1 ? fail("Unavailable") : give(call, usage)],
        { capabilities: [{ skill: "dig" }, { skill: "fill" }] }
      )
      yield* registry.register(busy)
      const workflow = Workflow.make("busy").pipe(
        Workflow.step("dig", {
          skill: "dig",
          forEach: [1, 2, 3, 4],
          concurrency: 1,
          retry: { attempts: 3, initial: 0, jitter: 0 }
        }),
        Workflow.step("fill", { skill: "fill", after: ["dig"] }),
        Workflow.step("any", { agent: "Busy", after: ["fill"], onFailure: "continue" })
      )
      const run = yield* plane.registerRun({ workflow })
      yield* run.result
      yield* query.sync
      const found = yield* query.getAgent("busy")
      for (const skill of [undefined, "dig", "fill"]) {
        const { lastInvocation, ...told } = yield* registry.metrics("Busy", skill)
        const metrics =
          skill === undefined ? found.metrics : found.skills.find((each) => each.skill === skill)?.metrics
        const counted = (of: Omit<typeof told, "lastInvocation"> | undefined) => [
          ...[of?.totalInvocations, of?.successCount, of?.failureCount, of?.failuresByKind],
          ...[of?.totalTokens, of?.costMicroUsd]
        ]
        yield* equal(`of ${skill}`, counted(metrics), counted(told))
        yield* holds("since when", metrics?.lastInvocation !== null && lastInvocation !== undefined, metrics)
      }
      yield* equal(
        "by skill",
        found.skills.map(({ skill }) => skill),
        ["dig", "fill"]
      )
      const rate = found.metrics.successCount / found.metrics.totalInvocations
      yield* equal("its rate", found.metrics.successRate, rate)
      yield* agreesOn(log, query)
    })
  ),

  law("keeps what agents did when runs are removed", ({ log, plane, query, work }) =>
    Effect.gen(function* () {
      yield* work.open
      for (const id of ["a", "b"])
        yield* Effect.flatMap(
          plane.registerRun({ id, workflow: Workflow.make("w").pipe(Workflow.step("s", { skill: "work" })) }),
          ({ result }) => result
        )
      yield* query.sync
      const before = metricsOf(yield* query.getAgent("work"))
      yield* equal("what it did", before.metrics.successCount, 2)
      const run = yield* query.getRun("a")
      const removed: EventOf<"RunsRemoved"> = { _tag: "RunsRemoved", runs: [run.runId], archived: false }
      yield* log.append(logId, [removed])
      yield* query.sync
      yield* equal("without a word of them", metricsOf(yield* query.getAgent("work")), before)
      const last = before.metrics.lastInvocation ?? 0
      const agents = [
        {
          agentId: AgentId.make("work"),
          skill: "work",
          successes: 5,
          failuresByKind: { Crashed: 1 },
          totalMillis: 60,
          tokens: 7,
          costMicroUsd: 8,
          lastInvocation: last,
          latest: [{ seq: 1, time: last, durationMillis: 60, costMicroUsd: 8, failure: "Crashed" }]
        }
      ]
      yield* log.append(logId, [{ ...removed, runs: [(yield* query.getRun("b")).runId], agents }])
      yield* query.sync
      const after = (yield* query.getAgent("work")).metrics
      yield* equal("what it says instead", [after.successCount, after.failuresByKind], [6, { Crashed: 1 }])
      yield* equal("what took longest", after.p99LatencyMs, 60)
      yield* agreesOn(log, query)
    })
  )
]
