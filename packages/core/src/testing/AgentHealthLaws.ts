import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import * as Agent from "../Agent.js"
import { AgentRegistry, type Service } from "../AgentRegistry.js"
import type { CapabilityQuery } from "../Capability.js"
import { AgentId } from "../Ids.js"
import { zero } from "../Usage.js"
import { equal, fails, holds, type Law } from "./Law.js"

const law = (
  name: string,
  check: (registry: Service) => Effect.Effect<void, unknown>
): Law<AgentRegistry> => ({ name, check: Effect.flatMap(AgentRegistry, check) })

const agent = (id: string, priority = 0) =>
  Agent.make(id, { capabilities: [{ skill: "review", priority }], run: () => Effect.succeed(null) })

const review: CapabilityQuery = { requiredSkills: ["review"] }

const work = AgentId.make("work")

const ended = (failure?: Agent.AgentErrorKind) => ({ durationMillis: 10, usage: zero, failure })

const attempts = (registry: Service, count: number, failure?: Agent.AgentErrorKind) =>
  Effect.sync(() => {
    for (let i = 0; i < count; i++) registry.begin(work, "review").end(ended(failure))
  })

const isGiven = (registry: Service) =>
  Effect.match(registry.selectAgent(review), { onFailure: () => false, onSuccess: () => true })

const availableIn = (registry: Service) =>
  Effect.gen(function* () {
    const now = yield* TestClock.currentTimeMillis
    const { availableAt } = yield* fails("nobody", "NoCapableAgent", registry.selectAgent(review))
    return availableAt === undefined ? undefined : availableAt - now
  })

/** What every registry promises of agents that fail, and of limits; for a layer that gives an empty one, under a test clock. */
export const AgentHealthLaws: ReadonlyArray<Law<AgentRegistry>> = [
  law("gives no work to an agent that fails again and again, until its circuit is half-open", (registry) =>
    Effect.gen(function* () {
      yield* registry.register(agent("work"))
      yield* attempts(registry, 4, "Crashed")
      yield* equal("four failures are too few", yield* isGiven(registry), true)
      yield* attempts(registry, 1)
      yield* attempts(registry, 4, "Timeout")
      yield* equal("in a row, they are", yield* isGiven(registry), true)
      yield* attempts(registry, 1, "Unavailable")
      yield* equal("five are enough", yield* availableIn(registry), 30_000)
      yield* equal("it shows", (yield* registry.health("work"))._tag, "Unhealthy")
      yield* TestClock.adjust("29 seconds")
      yield* equal("not yet", yield* isGiven(registry), false)
      yield* TestClock.adjust("1 seconds")
      yield* equal("half-open", (yield* registry.health("work"))._tag, "Degraded")
      yield* equal("one attempt", yield* isGiven(registry), true)
      const ticket = registry.begin(work, "review")
      yield* equal("and no other one", yield* isGiven(registry), false)
      yield* holds("which is worth to wait for", ((yield* availableIn(registry)) ?? 0) > 0)
      ticket.end(undefined)
      yield* equal("it was interrupted: another one", yield* isGiven(registry), true)
      registry.begin(work, "review").end(ended("Crashed"))
      yield* equal("it failed: twice as long", yield* availableIn(registry), 60_000)
      yield* TestClock.adjust("60 seconds")
      registry.begin(work, "review").end(ended())
      yield* equal("it succeeded", yield* registry.health("work"), { _tag: "Healthy" })
      yield* attempts(registry, 4, "Crashed")
      yield* equal("it begins anew", yield* isGiven(registry), true)
    })
  ),

  law("opens a circuit for ten minutes at most", (registry) =>
    Effect.gen(function* () {
      yield* registry.register(agent("work"))
      yield* attempts(registry, 5, "Crashed")
      const waits: Array<number | undefined> = []
      for (let i = 0; i < 7; i++) {
        const wait = yield* availableIn(registry)
        waits.push(wait)
        yield* TestClock.adjust(wait ?? 0)
        registry.begin(work, "review").end(ended("Crashed"))
      }
      yield* equal(
        "seconds",
        waits,
        [30, 60, 120, 240, 480, 600, 600].map((each) => each * 1_000)
      )
    })
  ),

  law("opens the circuit of an agent that fails every other time", (registry) =>
    Effect.gen(function* () {
      yield* registry.register(agent("work"))
      for (let i = 0; i < 19; i++) yield* attempts(registry, 1, i % 2 === 0 ? "InvalidOutput" : undefined)
      yield* equal("too few to tell", yield* isGiven(registry), true)
      yield* attempts(registry, 1)
      yield* attempts(registry, 1, "NotFound")
      yield* equal("ten of twenty", yield* isGiven(registry), false)
    })
  ),

  law("does not blame agents for what the task, the run or a provider is at fault for", (registry) =>
    Effect.gen(function* () {
      yield* registry.register(agent("work"))
      for (const failure of [
        "InvalidInput",
        "ContextTooLong",
        "PermissionDenied",
        "Failed",
        "RateLimited",
        "QuotaExhausted"
      ] as const) {
        yield* attempts(registry, 30, failure)
        yield* equal(failure, yield* isGiven(registry), true)
      }
    })
  ),

  law("ignores what comes late from before a circuit was opened", (registry) =>
    Effect.gen(function* () {
      yield* registry.register(agent("work"))
      const late = registry.begin(work, "review")
      const later = registry.begin(work, "review")
      yield* attempts(registry, 5, "Crashed")
      late.end(ended())
      yield* equal("a success does not close it", yield* isGiven(registry), false)
      yield* TestClock.adjust("30 seconds")
      const ticket = registry.begin(work, "review")
      later.end(ended("Crashed"))
      ticket.end(ended())
      yield* equal("nor does a failure open it again", yield* isGiven(registry), true)
    })
  ),

  law("holds an agent until the time that it is told, and says when that is", (registry) =>
    Effect.gen(function* () {
      yield* registry.register(agent("work", 1))
      const now = yield* TestClock.currentTimeMillis
      yield* registry.hold(work, now + 5_000, "429")
      yield* registry.hold(work, now + 2_000, "an earlier end does not shorten it")
      yield* equal("when", yield* availableIn(registry), 5_000)
      const { rejections } = yield* registry.explain(review)
      yield* holds("why", rejections[0]?.reason.includes("429") === true, rejections)
      yield* registry.register(agent("other"))
      yield* equal("another one meanwhile", (yield* registry.selectAgent(review)).agent.id, "other")
      yield* TestClock.adjust("5 seconds")
      yield* equal("it is over", (yield* registry.selectAgent(review)).agent.id, "work")
      yield* registry.hold(AgentId.make("nobody"), now + 60_000, "429")
      yield* registry.disable("work")
      yield* registry.disable("other")
      yield* equal("waiting does not help", yield* availableIn(registry), undefined)
    })
  ),

  law("gives agents that failed another chance as time goes by", (registry) =>
    Effect.gen(function* () {
      yield* registry.register(agent("good"))
      yield* registry.register(agent("work"))
      const good = AgentId.make("good")
      for (let i = 0; i < 60; i++) registry.begin(good, "review").end(ended())
      yield* attempts(registry, 4, "Failed")
      const chosen = Effect.map(registry.selectAgent(review), (selection) => selection.agent.id)
      yield* equal("not now", yield* chosen, "good")
      let days = 0
      while ((yield* chosen) !== "work" && days < 30) {
        for (let i = 0; i < 60; i++) registry.begin(good, "review").end(ended())
        yield* TestClock.adjust("1 days")
        days++
      }
      yield* holds("within days", days > 0 && days < 14, days)
    })
  )
]
