import * as Effect from "effect/Effect"
import * as Agent from "../Agent.js"
import { AgentRegistry, type Service } from "../AgentRegistry.js"
import type { CapabilityInput, CapabilityQuery } from "../Capability.js"
import { AgentId } from "../Ids.js"
import * as Usage from "../Usage.js"
import { equal, fails, holds, type Law } from "./Law.js"

const law = (
  name: string,
  check: (registry: Service) => Effect.Effect<void, unknown>
): Law<AgentRegistry> => ({ name, check: Effect.flatMap(AgentRegistry, check) })

const agent = (
  id: string,
  capabilities: ReadonlyArray<CapabilityInput> = [{ skill: "review" }],
  probe?: Effect.Effect<Agent.Health>
) =>
  Agent.make(id, {
    capabilities,
    run: () => Effect.succeed(null),
    ...(probe === undefined ? {} : { probe })
  })

const need = (skill: string, more: Omit<CapabilityQuery, "requiredSkills"> = {}): CapabilityQuery => ({
  requiredSkills: [skill],
  ...more
})

const review = need("review")

const ids = (matches: ReadonlyArray<{ readonly agentId: string }>) => matches.map(({ agentId }) => agentId)

const observed = (
  registry: Service,
  id: string,
  count: number,
  options: {
    readonly millis?: number
    readonly failure?: Agent.AgentErrorKind
    readonly costUsd?: number
  } = {}
) =>
  Effect.forEach(
    Array.from({ length: count }),
    () =>
      registry.observe(AgentId.make(id), {
        durationMillis: options.millis ?? 100,
        usage: Usage.make({ inputTokens: 10, outputTokens: 5, costUsd: options.costUsd ?? 0 }),
        failure: options.failure
      }),
    { discard: true }
  )

/** What every registry promises, for a layer that gives an empty one. */
export const AgentRegistryLaws: ReadonlyArray<Law<AgentRegistry>> = [
  law("knows what is registered, sorted by id, and forgets what is unregistered", (registry) =>
    Effect.gen(function* () {
      yield* equal("none at first", yield* registry.list, [])
      for (const id of ["b", "C", "a"]) yield* registry.register(agent(id))
      const listed = (yield* registry.list).map((each) => each.agent.id)
      yield* equal("all", [...listed].sort(), ["C", "a", "b"])
      yield* equal("sorted", listed, [...listed].sort())
      yield* equal("by skill", yield* registry.findAgentsWithSkill("review"), listed)
      yield* equal("by another skill", yield* registry.findAgentsWithSkill("none"), [])
      yield* registry.unregister("b")
      yield* fails("it is gone", "AgentNotFound", registry.get("b"))
      yield* fails("unregistered already", "AgentNotFound", registry.unregister("b"))
      yield* equal(
        "nothing selects it",
        ids(yield* registry.discover(review)).includes(AgentId.make("b")),
        false
      )
      yield* registry.register(agent("b"))
    })
  ),

  law("says why an agent cannot be registered", (registry) =>
    Effect.gen(function* () {
      yield* registry.register(agent("taken"))
      const refused = (wrong: Agent.Agent) =>
        Effect.map(
          fails("it is refused", "AgentRejected", registry.register(wrong)),
          ({ message }) => message
        )
      const some = agent("some")
      yield* equal(
        "why",
        yield* Effect.forEach(
          [
            { ...some, id: AgentId.make("Taken") },
            { ...some, id: "a b" as never },
            agent("some", []),
            { ...some, capabilities: [{ skill: 7 }] as never }
          ],
          refused
        ),
        [
          'The agent "Taken" cannot be registered: "taken" is registered already; unregister it first',
          'The agent "a b" cannot be registered: its id must be 1 to 128 letters, digits, ".", "_" or "-"',
          'The agent "some" cannot be registered: it declares no capability, so nothing could select it',
          'The agent "some" cannot be registered: its capability {"skill":7} is malformed'
        ]
      )
      yield* equal("nothing is registered", (yield* registry.list).length, 1)
    })
  ),

  law("compares ids without case", (registry) =>
    Effect.gen(function* () {
      yield* registry.register(agent("Reviewer"))
      yield* equal("found in lower case", (yield* registry.get("reviewer")).id, "Reviewer")
      const error = yield* fails("taken", "AgentRejected", registry.register(agent("REVIEWER")))
      yield* holds("it names the one that has it", error.message.includes('"Reviewer"'), error.message)
      yield* registry.disable("REVIEWER")
      yield* equal("disabled", (yield* registry.list)[0]?.enabled, false)
      yield* registry.unregister("reviewer")
      yield* equal("unregistered", yield* registry.list, [])
    })
  ),

  law("refuses bad ids, and agents that nothing could select", (registry) =>
    Effect.gen(function* () {
      for (const id of ["", "../x", "a b", "a/b", "-x", "a..b", "x".repeat(129)]) {
        yield* fails(`the id ${id}`, "AgentRejected", registry.register(agent(id)))
      }
      yield* fails("no capability", "AgentRejected", registry.register(agent("idle", [])))
      yield* fails("no skill", "AgentRejected", registry.register(agent("mute", [{ skill: "" }])))
      const fraction = agent("odd", [{ skill: "s", priority: 0.5 }])
      yield* fails("a priority that is not whole", "AgentRejected", registry.register(fraction))
      yield* equal("none is there", yield* registry.list, [])
    })
  ),

  law("names what might have been meant", (registry) =>
    Effect.gen(function* () {
      const none = yield* fails("none there", "AgentNotFound", registry.get("reviewer"))
      yield* holds("it says so", none.message.includes("none is registered"), none.message)
      yield* registry.register(agent("reviewer"))
      const near = yield* fails("a typing error", "AgentNotFound", registry.get("reveiwer"))
      yield* holds("the near one", near.message.includes('did you mean "reviewer"?'), near.message)
      const far = yield* fails("something else", "AgentNotFound", registry.get("zzzzzz"))
      yield* holds("no guess", !far.message.includes("did you mean"), far.message)
      yield* holds("but what there is", far.message.includes("reviewer"), far.message)
    })
  ),

  law("ranks by priority, then by score, then by id", (registry) =>
    Effect.gen(function* () {
      yield* registry.register(agent("b"))
      yield* registry.register(agent("a"))
      yield* equal("ties by id", ids(yield* registry.discover(review)), ["a", "b"])
      yield* observed(registry, "a", 5, { failure: "Failed" })
      yield* equal("a bad record loses", ids(yield* registry.discover(review)), ["b", "a"])
      yield* registry.register(agent("worst", [{ skill: "review", priority: 1 }]))
      yield* observed(registry, "worst", 50, { failure: "Failed", millis: 60_000, costUsd: 1 })
      const matches = yield* registry.discover(review)
      yield* equal("priority beats score", ids(matches), ["worst", "b", "a"])
      yield* equal("selection takes the first", (yield* registry.selectAgent(review)).agent.id, "worst")
      for (const { factors, score } of matches) {
        const { cost, exploration, health, latency, success } = factors
        yield* holds(
          "factors lie between 0 and 1",
          [success, latency, cost, health].every((each) => each >= 0 && each <= 1),
          factors
        )
        const sum = (0.7 * success + 0.2 * latency + 0.1 * cost) * health + exploration
        yield* holds("the score is made of them", Math.abs(sum - score) < 1e-9, { factors, score })
      }
    })
  ),

  law("prefers what is quicker and cheaper, and gives new agents a chance", (registry) =>
    Effect.gen(function* () {
      for (const id of ["cheap", "dear", "fresh", "poor", "slow"]) yield* registry.register(agent(id))
      yield* observed(registry, "cheap", 100, { millis: 100 })
      yield* observed(registry, "dear", 100, { millis: 100, costUsd: 1 })
      yield* observed(registry, "slow", 100, { millis: 120_000 })
      yield* observed(registry, "poor", 20, { millis: 100 })
      yield* observed(registry, "poor", 80, { millis: 100, failure: "Failed" })
      const order = ids(yield* registry.discover(review))
      const proven = order.filter((id) => id !== "fresh")
      yield* equal("the best of the proven ones", proven.slice(0, 1), ["cheap"])
      yield* holds("cost counts", proven.indexOf(AgentId.make("dear")) > 0, order)
      yield* holds(
        "time counts",
        order.indexOf(AgentId.make("slow")) > order.indexOf(AgentId.make("dear")),
        order
      )
      const position = (id: string) => order.indexOf(AgentId.make(id))
      yield* holds(
        "one without history is before one that often fails",
        position("fresh") < position("poor"),
        order
      )
    })
  ),

  law("keeps disabled and unhealthy agents out of selection, not out of the query", (registry) =>
    Effect.gen(function* () {
      let health: Agent.Health = { _tag: "Healthy" }
      yield* registry.register(agent("off"))
      yield* registry.register(
        agent(
          "ill",
          undefined,
          Effect.suspend(() => Effect.succeed(health))
        )
      )
      yield* equal("unknown without a probe", yield* registry.health("off"), { _tag: "Unknown" })
      yield* equal("as the probe says", yield* registry.health("ill"), { _tag: "Healthy" })
      yield* registry.disable("off")
      health = { _tag: "Unhealthy", error: "no connection" }
      yield* registry.health("ill")
      yield* equal("none is usable", yield* registry.discover(review), [])
      yield* equal("both match", ids(yield* registry.query(review)), ["ill", "off"])
      const error = yield* fails("none", "NoCapableAgent", registry.selectAgent(review))
      yield* equal(
        "both are explained",
        error.rejections.map(({ agentId, stage }) => [agentId, stage]),
        [
          ["off", "health"],
          ["ill", "health"]
        ]
      )
      yield* holds("in words", error.message.includes("it is disabled"), error.message)
      health = { _tag: "Degraded", reason: "slow" }
      yield* registry.health("ill")
      yield* equal("degraded is usable", ids(yield* registry.discover(review)), ["ill"])
      yield* registry.enable("off")
      yield* equal("enabled again, and better", ids(yield* registry.discover(review)), ["off", "ill"])
      yield* fails("enable", "AgentNotFound", registry.enable("nobody"))
      yield* fails("disable", "AgentNotFound", registry.disable("nobody"))
      yield* fails("health", "AgentNotFound", registry.health("nobody"))
    })
  ),

  law("takes a probe that breaks as a sign of bad health", (registry) =>
    Effect.gen(function* () {
      yield* registry.register(agent("broken", undefined, Effect.die(new Error("boom"))))
      yield* registry.register(agent("gone", undefined, Effect.interrupt))
      for (const id of ["broken", "gone"]) {
        yield* equal("unhealthy", (yield* registry.health(id))._tag, "Unhealthy")
      }
      yield* equal("neither is usable", yield* registry.discover(review), [])
    })
  ),

  law("explains a selection: why not each other one", (registry) =>
    Effect.gen(function* () {
      const typed = { skill: "review", inputTypes: ["cobol"], outputTypes: ["text"] }
      yield* registry.register(agent("other", [{ skill: "write" }]))
      yield* registry.register(agent("typed", [{ ...typed, inputTypes: ["java"] }]))
      yield* registry.register(agent("small", [{ ...typed, constraints: { maxFileSize: "1MB" } }]))
      yield* registry.register(agent("fits", [{ ...typed, constraints: { maxFileSize: "5MB" } }]))
      yield* registry.register(agent("second", [typed]))
      const query = need("review", {
        inputType: "cobol",
        outputType: "text",
        constraints: { maxFileSize: "3MB" }
      })
      const { agent: selected, candidates, rejections } = yield* registry.selectAgent(query)
      yield* equal("the best", selected.id, "fits")
      yield* equal("the others that could", ids(candidates), ["fits", "second"])
      yield* equal("what matched", candidates[0]?.matchedCapabilities[0]?.constraints, { maxFileSize: "5MB" })
      const stages = Object.fromEntries(rejections.map(({ agentId, stage }) => [agentId, stage]))
      yield* equal("why not", stages, { other: "skill", typed: "type", small: "constraint" })
      yield* holds(
        "in words",
        rejections.every(({ reason }) => reason.length > 10),
        rejections
      )
    })
  ),

  law("names the nearest miss, stage by stage", (registry) =>
    Effect.gen(function* () {
      const query = need("review", { inputType: "cobol", constraints: { maxFileSize: "3MB" } })
      const miss = Effect.map(
        fails("no agent", "NoCapableAgent", registry.selectAgent(query)),
        (error) => error.message
      )
      const says = (message: string, part: string) => holds(part, message.includes(part), message)
      yield* says(yield* miss, "no agent is registered")
      yield* registry.register(agent("a-writer", [{ skill: "reviews" }]))
      yield* says(yield* miss, 'did you mean "reviews"?')
      yield* registry.register(agent("b-typed", [{ skill: "review", inputTypes: ["java"] }]))
      yield* says(
        yield* miss,
        'the nearest is "b-typed", but no capability of it turns cobol into any output'
      )
      const small = { skill: "review", inputTypes: ["cobol"], constraints: { maxFileSize: "1MB" } }
      yield* registry.register(agent("c-small", [small]))
      yield* says(yield* miss, 'the nearest is "c-small", but maxFileSize is "1MB", needed "3MB"')
      yield* registry.register(agent("d-off", [{ skill: "review" }]))
      yield* registry.disable("d-off")
      yield* says(yield* miss, 'the nearest is "d-off", but it is disabled')
    })
  ),

  law("does not mix the types of different capabilities", (registry) =>
    Effect.gen(function* () {
      yield* registry.register(
        agent("split", [
          { skill: "review", inputTypes: ["cobol"], outputTypes: ["text"] },
          { skill: "review", inputTypes: ["java"], outputTypes: ["html"] }
        ])
      )
      const mixed = need("review", { inputType: "cobol", outputType: "html" })
      yield* fails("types of two", "NoCapableAgent", registry.selectAgent(mixed))
      const both = need("review", { inputType: "java", outputType: "html" })
      yield* equal("types of one", (yield* registry.selectAgent(both)).agent.id, "split")
    })
  ),

  law("measures what it observes", (registry) =>
    Effect.gen(function* () {
      yield* registry.register(agent("measured"))
      const none = yield* registry.metrics("measured")
      yield* equal("nothing yet", [none.totalInvocations, none.p99LatencyMs, none.avgLatencyMs], [0, 0, 0])
      for (let millis = 100; millis >= 1; millis--) yield* observed(registry, "measured", 1, { millis })
      yield* observed(registry, "measured", 0)
      const found = yield* registry.metrics("MEASURED")
      yield* equal("the mean", found.avgLatencyMs, 50.5)
      yield* equal(
        "the quantiles by nearest rank",
        [found.p50LatencyMs, found.p95LatencyMs, found.p99LatencyMs],
        [50, 95, 99]
      )
      yield* equal("tokens", found.totalTokens, 1_500)
      yield* observed(registry, "measured", 2, { failure: "Timeout", costUsd: 0.5 })
      const later = yield* registry.metrics("measured")
      yield* equal("counts", [later.totalInvocations, later.successCount, later.failureCount], [102, 100, 2])
      yield* equal("failures by kind", later.failuresByKind, { Timeout: 2 })
      yield* equal("cost", later.costMicroUsd, 1_000_000)
      yield* observed(registry, "unknown", 1)
      yield* fails("an unknown agent", "AgentNotFound", registry.metrics("unknown"))
      for (let i = 0; i < 2_000; i++) yield* observed(registry, "measured", 1, { millis: 7 })
      yield* equal("quantiles are of the latest", (yield* registry.metrics("measured")).p99LatencyMs, 7)
    })
  )
]
