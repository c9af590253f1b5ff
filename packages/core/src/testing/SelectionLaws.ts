import * as Effect from "effect/Effect"
import * as Agent from "../Agent.js"
import { AgentRegistry, type Service } from "../AgentRegistry.js"
import type { CapabilityInput, CapabilityQuery } from "../Capability.js"
import { AgentId } from "../Ids.js"
import type { Permission } from "../Permission.js"
import * as Usage from "../Usage.js"
import { equal, fails, holds, type Law } from "./Law.js"

const law = (
  name: string,
  check: (registry: Service) => Effect.Effect<void, unknown>
): Law<AgentRegistry> => ({ name, check: Effect.flatMap(AgentRegistry, check) })

const agent = (
  id: string,
  capability: Omit<CapabilityInput, "skill"> = {},
  requires: ReadonlyArray<Permission> = []
) =>
  Agent.make(id, {
    capabilities: [{ skill: "review", ...capability }],
    requires,
    run: () => Effect.succeed(null)
  })

const review: CapabilityQuery = { requiredSkills: ["review"] }

const ids = (found: ReadonlyArray<{ readonly agentId: string }>) => found.map(({ agentId }) => agentId)

const done = (millis = 100, costUsd = 0) => ({
  durationMillis: millis,
  usage: Usage.make({ inputTokens: 1, costUsd }),
  failure: undefined
})

const chosen = (registry: Service, ...given: Parameters<Service["selectAgent"]>) =>
  Effect.map(registry.selectAgent(...given), (selection) => selection.agent.id)

/** What every registry promises of choosing among agents, for a layer that gives an empty one. */
export const SelectionLaws: ReadonlyArray<Law<AgentRegistry>> = [
  law("takes named types for what they are a kind of, and compares JSON Schemas", (registry) =>
    Effect.gen(function* () {
      const number = { type: "number", minimum: 0 }
      yield* registry.register(agent("texts", { inputTypes: ["text"], outputTypes: ["text/markdown"] }))
      yield* registry.register(agent("numbers", { inputTypes: [number] }))
      const found = (more: Omit<CapabilityQuery, "requiredSkills">) =>
        Effect.map(registry.explain({ ...review, ...more }), ({ candidates }) => ids(candidates))
      yield* equal("a kind of text", yield* found({ inputType: "text/html" }), ["texts"])
      yield* equal("gives a kind of text", yield* found({ outputType: "text" }), ["numbers", "texts"])
      yield* equal("no other kind", yield* found({ outputType: "text/html" }), ["numbers"])
      yield* equal("a smaller range", yield* found({ inputType: { type: "integer", minimum: 1 } }), [
        "numbers"
      ])
      yield* equal("a larger one", yield* found({ inputType: { type: "number" } }), [])
      const { rejections } = yield* registry.explain({ ...review, inputType: { type: "number" } })
      yield* holds(
        "what is not certain is said",
        rejections.some(({ reason }) => reason.includes("it may be less than 0")),
        rejections
      )
    })
  ),

  law("refuses constraints that mean nothing", (registry) =>
    Effect.gen(function* () {
      for (const constraints of [
        { maxFileSize: "lots" },
        { maxFileSize: "5m" },
        { maxDuration: "1MB" },
        { maxConcurrency: 0 },
        { maxConcurrency: 1.5 },
        { needsMemory: "some" },
        { costClass: "cheap" },
        { languages: [] },
        { minVersion: -1 }
      ]) {
        const [key = ""] = Object.keys(constraints)
        const { message } = yield* fails(
          key,
          "AgentRejected",
          registry.register(agent("odd", { constraints } as never))
        )
        yield* holds("it names the constraint", message.includes(key), message)
      }
      const inputTypes = [{ $ref: "#/definitions/none" }]
      yield* fails("a Schema that is none", "AgentRejected", registry.register(agent("odd", { inputTypes })))
      yield* equal("none is there", yield* registry.list, [])
    })
  ),

  law("evaluates constraints: memory, cost classes, languages", (registry) =>
    Effect.gen(function* () {
      const constraints = { needsMemory: "2GB", costClass: "medium", languages: ["DE", "en"] }
      yield* registry.register(agent("local", { constraints }))
      const why = (needed: NonNullable<CapabilityQuery["constraints"]>) =>
        Effect.map(
          registry.explain({ ...review, constraints: needed }),
          ({ rejections }) => rejections[0]?.reason
        )
      yield* equal("enough memory", yield* why({ needsMemory: "4GB" }), undefined)
      yield* equal(
        "less memory",
        yield* why({ needsMemory: "1GB" }),
        'needsMemory is "2GB", but the step offers only "1GB"'
      )
      yield* equal("dear enough", yield* why({ costClass: "medium" }), undefined)
      yield* equal(
        "too dear",
        yield* why({ costClass: "low" }),
        'costClass is "medium", needed "low" at most'
      )
      yield* equal("a language, whatever its case", yield* why({ languages: "de" }), undefined)
      yield* equal(
        "another language",
        yield* why({ languages: "fr" }),
        'languages is ["DE","en"], needed "fr"'
      )
    })
  ),

  law("gives agents that require permissions to runs that grant them only", (registry) =>
    Effect.gen(function* () {
      yield* registry.register(agent("any"))
      yield* registry.register(agent("model", { priority: 1 }, ["InvokeModel", "Network"]))
      const by = (granted: ReadonlyArray<Permission> | undefined) => chosen(registry, review, { granted })
      yield* equal("nothing is restricted", yield* by(undefined), "model")
      yield* equal("all is granted", yield* by(["Network", "InvokeModel"]), "model")
      yield* equal("one is not", yield* by(["InvokeModel"]), "any")
      const { rejections } = yield* registry.explain(review, { granted: ["InvokeModel"] })
      yield* equal("why", rejections, [
        {
          agentId: "model",
          stage: "permission",
          permission: "Network",
          reason: "it requires Network, which the run does not grant"
        }
      ])
    })
  ),

  law("chooses by the strategy that it is told", (registry) =>
    Effect.gen(function* () {
      for (const id of ["cheap", "fast", "idle"]) yield* registry.register(agent(id))
      for (let i = 0; i < 50; i++) {
        yield* registry.observe(AgentId.make("cheap"), done(9_000, 0.01))
        yield* registry.observe(AgentId.make("fast"), done(50, 0.2))
        yield* registry.observe(AgentId.make("idle"), done(9_500, 0.3))
      }
      const tickets = ["cheap", "fast"].map((id) => registry.begin(AgentId.make(id), "review"))
      const by = (strategy: "cheapest" | "fastest" | "least-loaded") => chosen(registry, review, { strategy })
      yield* equal("cheapest", yield* by("cheapest"), "cheap")
      yield* equal("fastest", yield* by("fastest"), "fast")
      yield* equal("least loaded", yield* by("least-loaded"), "idle")
      for (const ticket of tickets) {
        ticket.end(undefined)
        ticket.end(undefined)
      }
      registry.begin(AgentId.make("idle"), "review")
      yield* holds("load is what is under way", (yield* by("least-loaded")) !== "idle")
      const order = ids((yield* registry.explain(review, { strategy: "cheapest" })).candidates)
      yield* equal("the others in order", order, ["cheap", "fast", "idle"])
      const sticky = AgentId.make("idle")
      yield* equal("sticky", yield* chosen(registry, review, { strategy: "sticky", sticky }), "idle")
      yield* registry.disable("idle")
      const next = yield* chosen(registry, review, { strategy: "sticky", sticky })
      yield* equal("not a candidate any more", next, yield* chosen(registry, review))
    })
  ),

  law("gives work to agents that have room first", (registry) =>
    Effect.gen(function* () {
      yield* registry.register(agent("best", { priority: 5, constraints: { maxConcurrency: 2 } }))
      yield* registry.register(agent("other"))
      yield* equal("the best", yield* chosen(registry, review), "best")
      const tickets = [1, 2].map(() => registry.begin(AgentId.make("best"), "review"))
      yield* equal("it is busy", yield* chosen(registry, review), "other")
      const { candidates } = yield* registry.explain(review)
      yield* equal("and comes after", ids(candidates), ["other", "best"])
      yield* equal(
        "as is said",
        candidates.map(({ hasRoom, load }) => [hasRoom, load]),
        [
          [true, 0],
          [false, 2]
        ]
      )
      tickets[0]?.end(done())
      yield* equal("there is room again", yield* chosen(registry, review), "best")
      yield* registry.unregister("other")
      registry.begin(AgentId.make("best"), "review")
      yield* equal("better a busy one than none", yield* chosen(registry, review), "best")
    })
  ),

  law("passes over who was tried", (registry) =>
    Effect.gen(function* () {
      for (const id of ["a", "b"]) yield* registry.register(agent(id))
      const except = [AgentId.make("a")]
      yield* equal("the next one", yield* chosen(registry, review, { except }), "b")
      const all = [...except, AgentId.make("b")]
      const error = yield* fails("no other", "NoCapableAgent", registry.selectAgent(review, { except: all }))
      yield* holds("it says so", error.message.includes("it was tried already"), error.message)
    })
  ),

  law("does not send everybody to who is new", (registry) =>
    Effect.gen(function* () {
      for (const id of ["known", "new"]) yield* registry.register(agent(id))
      for (let i = 0; i < 100; i++) yield* registry.observe(AgentId.make("known"), done())
      const given: Array<string> = []
      for (let i = 0; i < 20; i++) {
        const id = yield* chosen(registry, review)
        given.push(id)
        registry.begin(id, "review")
      }
      const news = given.filter((id) => id === "new").length
      yield* holds("it has its chance", news > 0, given)
      yield* holds("and most go to whom one knows", news < 10, given)
    })
  ),

  law("keeps snapshots as they were", (registry) =>
    Effect.gen(function* () {
      yield* registry.register(agent("a"))
      const before = yield* registry.snapshot
      yield* registry.register(agent("b"))
      yield* registry.disable("a")
      const after = yield* registry.snapshot
      yield* equal(
        "before",
        before.agents.map((each) => [each.agent.id, each.enabled]),
        [["a", true]]
      )
      yield* equal(
        "after",
        after.agents.map((each) => [each.agent.id, each.enabled]),
        [
          ["a", false],
          ["b", true]
        ]
      )
      yield* equal("each change counts", after.version - before.version, 2)
      yield* registry.disable("a")
      yield* equal("what changes nothing does not", (yield* registry.snapshot).version, after.version)
    })
  ),

  law("replaces an agent where it is told to", (registry) =>
    Effect.gen(function* () {
      yield* registry.register(agent("a"))
      yield* registry.observe(AgentId.make("a"), done())
      yield* fails("taken", "AgentRejected", registry.register(agent("A")))
      yield* registry.register(agent("A", { priority: 3 }), { replace: true })
      const [listed] = yield* registry.list
      yield* equal("the new one", [listed?.agent.id, listed?.revision], ["A", 2])
      yield* equal("its capabilities count", (yield* registry.discover(review))[0]?.priority, 3)
      yield* equal("what was observed stays", (yield* registry.metrics("a")).totalInvocations, 1)
      yield* registry.register(agent("A", { priority: 3 }), { replace: true })
      yield* equal("the same is no revision", (yield* registry.list)[0]?.revision, 2)
    })
  ),

  law("measures skills apart", (registry) =>
    Effect.gen(function* () {
      yield* registry.register(
        Agent.make("two", {
          capabilities: [{ skill: "review" }, { skill: "write" }],
          run: () => Effect.succeed(null)
        })
      )
      const id = AgentId.make("two")
      registry.begin(id, "review").end(done(10))
      registry.begin(id, "write").end({ ...done(1_000, 0.5), failure: "Crashed" })
      registry.begin(id, "write").end(undefined)
      const figures = (skill?: string) =>
        Effect.map(registry.metrics("two", skill), (found) => [
          found.totalInvocations,
          found.failureCount,
          found.p50LatencyMs,
          found.costMicroUsd
        ])
      yield* equal("in all", yield* figures(), [2, 1, 10, 500_000])
      yield* equal("one", yield* figures("review"), [1, 0, 10, 0])
      yield* equal("the other", yield* figures("write"), [1, 1, 1_000, 500_000])
      yield* equal("another", yield* figures("read"), [0, 0, 0, 0])
    })
  )
]
