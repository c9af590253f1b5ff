import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Agent from "../Agent.js"
import { AgentRegistry, type LayerOptions, layer, type Service } from "../AgentRegistry.js"
import type { CapabilityQuery } from "../Capability.js"
import { EventLog } from "../EventLog.js"
import { AgentId, logId } from "../Ids.js"
import { zero } from "../Usage.js"
import { equal, fails, holds, type Law } from "./Law.js"

const agent = (id: string, priority = 0, more: Partial<Agent.Options> = {}) =>
  Agent.make(id, {
    capabilities: [{ skill: "review", priority }],
    run: () => Effect.succeed(null),
    ...more
  })

const review: CapabilityQuery = { requiredSkills: ["review"] }

/** What a host does with a registry that is kept in the log, from opening it to closing it. */
const host = <A, E>(
  agents: ReadonlyArray<Agent.Agent>,
  use: (registry: Service) => Effect.Effect<A, E, EventLog>,
  options: Omit<LayerOptions, "agents"> = {}
) =>
  Effect.scoped(
    Effect.flatMap(Layer.build(layer({ ...options, agents })), (context) =>
      Effect.flatMap(AgentRegistry, use).pipe(Effect.provide(context))
    )
  )

const recorded = Effect.flatMap(EventLog, (log) =>
  Stream.runFold(log.read({ runs: [logId] }), [] as Array<string>, (all, { event }) => [...all, event._tag])
)

const law = (name: string, check: Effect.Effect<void, unknown, EventLog>): Law<EventLog> => ({ name, check })

/** What a registry promises that is kept in a log, for a layer that gives an empty log, under a test clock. */
export const KeptRegistryLaws: ReadonlyArray<Law<EventLog>> = [
  law(
    "leaves no trace of an agent that is registered as it was before, and counts those that differ",
    Effect.gen(function* () {
      const revisions = (registry: Service) =>
        Effect.map(registry.list, (all) => all.map((each) => [each.agent.id, each.revision, each.absent]))
      const definition = { kind: "test", data: { b: 1, a: [2] }, source: "work.yaml" }
      const same = { kind: "test", data: { a: [2], b: 1 }, source: "work.yaml" }
      yield* host([agent("a"), agent("b", 0, { definition })], revisions)
      yield* equal("both", yield* recorded, ["AgentRegistered", "AgentRegistered"])
      const again = yield* host([agent("a"), agent("b", 0, { definition: same })], revisions)
      yield* equal("again", again, [
        ["a", 1, false],
        ["b", 1, false]
      ])
      yield* equal("no trace", (yield* recorded).length, 2)
      const changed = yield* host([agent("a", 1), agent("b", 0, { definition })], revisions)
      yield* equal("one differs", changed, [
        ["a", 2, false],
        ["b", 1, false]
      ])
      yield* equal("one more", (yield* recorded).length, 3)
    })
  ),

  law(
    "keeps who is disabled, and the number of the version",
    Effect.gen(function* () {
      const version = yield* host([agent("a"), agent("b")], (registry) =>
        Effect.zipRight(
          registry.disable("A"),
          Effect.map(registry.snapshot, (snapshot) => snapshot.version)
        )
      )
      yield* host([agent("a"), agent("b")], (registry) =>
        Effect.gen(function* () {
          yield* equal("disabled", (yield* registry.selectAgent(review)).agent.id, "b")
          yield* equal("the version", (yield* registry.snapshot).version, version)
          yield* registry.enable("a")
        })
      )
      yield* host([agent("a"), agent("b")], (registry) =>
        Effect.flatMap(registry.selectAgent(review), (selection) => equal("enabled", selection.agent.id, "a"))
      )
    })
  ),

  law(
    "lists agents that this host has not registered as absent, and gives them no work",
    Effect.gen(function* () {
      yield* host([agent("a"), agent("gone", 5)], () => Effect.void)
      yield* host([agent("a")], (registry) =>
        Effect.gen(function* () {
          const listed = (yield* registry.list).map((each) => [each.agent.id, each.absent])
          yield* equal("listed", listed, [
            ["a", false],
            ["gone", true]
          ])
          yield* equal("the other one", (yield* registry.selectAgent(review)).agent.id, "a")
          const { rejections } = yield* registry.explain(review)
          yield* equal("why", rejections, [
            {
              agentId: "gone",
              stage: "health",
              reason: "it is known from an earlier host only; this one has not registered it"
            }
          ])
          yield* fails("nobody to run", "AgentNotFound", registry.get("gone"))
          yield* equal("nor to find", yield* registry.findAgentsWithSkill("review"), ["a"])
          yield* registry.register(agent("gone", 5))
          yield* equal("it is back", (yield* registry.selectAgent(review)).agent.id, "gone")
          yield* registry.unregister("gone")
        })
      )
      const left = yield* host([agent("a")], (registry) => registry.list)
      yield* equal("withdrawn for good", left.length, 1)
      yield* host([agent("a"), agent("gone", 5)], (registry) =>
        Effect.flatMap(registry.list, (all) => equal("its revision goes on", all[1]?.revision, 1))
      )
      yield* equal("recorded", (yield* recorded).slice(2), ["AgentUnregistered", "AgentRegistered"])
    })
  ),

  law(
    "keeps circuits and holds",
    Effect.gen(function* () {
      const work = AgentId.make("work")
      const fail = (registry: Service) =>
        registry.begin(work, "review").end({ durationMillis: 1, usage: zero, failure: "Crashed" })
      const wait = (registry: Service) =>
        Effect.gen(function* () {
          const now = yield* TestClock.currentTimeMillis
          const error = yield* fails("nobody", "NoCapableAgent", registry.selectAgent(review))
          return (error.availableAt ?? 0) - now
        })
      yield* host([agent("work")], (registry) =>
        Effect.gen(function* () {
          for (let i = 0; i < 5; i++) fail(registry)
          yield* TestClock.adjust("30 seconds")
          fail(registry)
        })
      )
      yield* host([agent("work")], (registry) =>
        Effect.gen(function* () {
          yield* equal("still open", yield* wait(registry), 60_000)
          yield* TestClock.adjust("60 seconds")
          fail(registry)
          yield* equal("twice as long as before", yield* wait(registry), 120_000)
          yield* registry.hold(work, (yield* TestClock.currentTimeMillis) + 300_000, "quota")
        })
      )
      yield* host([agent("work")], (registry) =>
        Effect.gen(function* () {
          yield* equal("held", yield* wait(registry), 300_000)
          yield* TestClock.adjust("300 seconds")
          registry.begin(work, "review").end({ durationMillis: 1, usage: zero, failure: undefined })
        })
      )
      const tags = (yield* recorded).filter((tag) => tag !== "AgentRegistered")
      yield* equal("transitions", tags, [
        "AgentCircuitChanged",
        "AgentCircuitChanged",
        "AgentCircuitChanged",
        "AgentCircuitChanged",
        "AgentCircuitChanged",
        "AgentHeld",
        "AgentCircuitChanged",
        "AgentCircuitChanged"
      ])
      yield* host([agent("work")], (registry) =>
        Effect.flatMap(registry.selectAgent(review), ({ agent: { id } }) => equal("closed", id, "work"))
      )
    })
  ),

  law(
    "asks probes again and again, and records what changes",
    Effect.gen(function* () {
      let health: Agent.Health = { _tag: "Healthy" }
      let asked = 0
      const probe = Effect.suspend(() => {
        asked++
        return health === undefined ? Effect.never : Effect.succeed(health)
      })
      const changes = Effect.map(recorded, (all) => all.filter((tag) => tag === "AgentHealthChanged").length)
      const until = (tag: Agent.Health["_tag"], registry: Service) =>
        Effect.gen(function* () {
          yield* TestClock.adjust("60 seconds")
          const explained = yield* registry.explain(review)
          yield* equal(tag, explained.candidates.length, tag === "Unhealthy" ? 0 : 1)
        })
      yield* host([agent("work", 0, { probe })], (registry) =>
        Effect.gen(function* () {
          yield* until("Healthy", registry)
          yield* holds("about every half minute", asked >= 2 && asked <= 4, asked)
          yield* equal("one change", yield* changes, 1)
          health = { _tag: "Unhealthy", error: "no connection" }
          yield* until("Unhealthy", registry)
          yield* equal("another one", yield* changes, 2)
        })
      )
      const before = asked
      yield* TestClock.adjust("10 minutes")
      yield* equal("nobody asks for a host that is gone", asked, before)
      yield* host([agent("work", 0, { probe })], (registry) =>
        Effect.gen(function* () {
          yield* equal("it is remembered", (yield* registry.explain(review)).candidates, [])
          health = { _tag: "Degraded", reason: "slow" }
          yield* until("Degraded", registry)
          yield* registry.unregister("work")
          const last = asked
          yield* TestClock.adjust("10 minutes")
          yield* equal("nor for an agent that is", asked, last)
        })
      )
      yield* equal("in all", yield* changes, 3)
    })
  ),

  law(
    "takes a probe that does not answer in time as a sign of bad health",
    host(
      [agent("work", 0, { probe: Effect.never })],
      (registry) =>
        Effect.gen(function* () {
          yield* TestClock.adjust("1900 millis")
          yield* equal("not yet", (yield* registry.explain(review)).candidates.length, 1)
          yield* TestClock.adjust("10 seconds")
          const { rejections } = yield* registry.explain(review)
          yield* holds(
            "unhealthy",
            rejections[0]?.reason.includes("did not answer within 2000 ms") === true,
            rejections
          )
        }),
      { probes: { interval: "20 seconds", timeout: "2 seconds", jitter: 0 } }
    )
  ),

  law(
    "registers all that it begins with, or none",
    Effect.gen(function* () {
      const odd = agent("odd", 0.5)
      yield* fails(
        "one is malformed",
        "AgentRejected",
        host([agent("a"), odd], () => Effect.void)
      )
      yield* fails(
        "two of one name",
        "AgentRejected",
        host([agent("a"), agent("A")], () => Effect.void)
      )
      yield* equal("nothing is recorded", yield* recorded, [])
    })
  )
]
