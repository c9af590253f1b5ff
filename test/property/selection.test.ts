import { describe, expect, it } from "@effect/vitest"
import * as Agent from "@switchyard/core/Agent"
import * as AgentRegistry from "@switchyard/core/AgentRegistry"
import { AgentId } from "@switchyard/core/Ids"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import {
  type Attempt,
  availableAt,
  type ModelAgent,
  type ModelStrategy,
  rankedBy
} from "./registryReference.js"

type Act =
  | { readonly _tag: "Register"; readonly who: number; readonly priority: number; readonly limit: number }
  | { readonly _tag: "Unregister" | "Disable" | "Enable"; readonly who: number }
  | { readonly _tag: "Begin"; readonly who: number }
  | {
      readonly _tag: "End"
      readonly which: number
      readonly how: string
      readonly millis: number
      readonly cost: number
    }
  | { readonly _tag: "Fail"; readonly who: number; readonly times: number; readonly how: string }
  | { readonly _tag: "Hold"; readonly who: number; readonly millis: number }
  | { readonly _tag: "Wait"; readonly millis: number }
  | { readonly _tag: "Select"; readonly strategy: ModelStrategy }

const who = fc.nat(5)

const how = fc.oneof(
  { weight: 4, arbitrary: fc.constant("") },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      "Crashed",
      "Timeout",
      "Unavailable",
      "InvalidOutput",
      "Unauthorized",
      "NotFound"
    )
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom("Failed", "RateLimited", "InvalidInput", "ContextTooLong", "PermissionDenied")
  },
  { weight: 1, arbitrary: fc.constant("interrupted") }
)

const millis = fc.oneof(
  fc.nat(2_000),
  fc.constantFrom(30_000, 60_000, 600_000, 3_600_000, 86_400_000, 400_000_000)
)

const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 1,
    arbitrary: fc.record({
      _tag: fc.constant("Register" as const),
      who,
      priority: fc.constantFrom(0, 0, 0, 1),
      limit: fc.constantFrom(1, 2, 100)
    })
  },
  {
    weight: 1,
    arbitrary: fc.record({
      _tag: fc.constantFrom<"Unregister" | "Disable" | "Enable">("Unregister", "Disable", "Enable", "Enable"),
      who
    })
  },
  { weight: 6, arbitrary: fc.record({ _tag: fc.constant("Begin" as const), who }) },
  {
    weight: 6,
    arbitrary: fc.record({
      _tag: fc.constant("End" as const),
      which: fc.nat(9),
      how,
      millis: fc.nat(90_000),
      cost: fc.nat(300_000)
    })
  },
  {
    weight: 2,
    arbitrary: fc.record({
      _tag: fc.constant("Fail" as const),
      who,
      times: fc.integer({ min: 1, max: 12 }),
      how
    })
  },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant("Hold" as const), who, millis: fc.nat(100_000) }) },
  { weight: 3, arbitrary: fc.record({ _tag: fc.constant("Wait" as const), millis }) },
  {
    weight: 5,
    arbitrary: fc.record({
      _tag: fc.constant("Select" as const),
      strategy: fc.constantFrom<ModelStrategy>(
        "best-match",
        "best-match",
        "least-loaded",
        "cheapest",
        "fastest"
      )
    })
  }
)

const idOf = (index: number) => AgentId.make(`agent-${index}`)

const agentOf = (index: number, priority: number, limit: number) =>
  Agent.make(idOf(index), {
    capabilities: [{ skill: "work", priority, constraints: { maxConcurrency: limit } }],
    run: () => Effect.succeed(null)
  })

/** A clock that stands still but where it is moved. */
const makeClock = (time: { now: number }): Clock.Clock =>
  Object.assign(Object.create(Clock.make()), { unsafeCurrentTimeMillis: () => time.now })

interface UnderWay {
  readonly attempt: Attempt
  readonly agent: ModelAgent
  readonly ticket: AgentRegistry.Ticket
}

/** A registry and the model of it, to which the same happens. */
const makeWorld = () => {
  const time = { now: 1_700_000_000_000 }
  const registry = Effect.runSync(Effect.withClock(AgentRegistry.make(), makeClock(time)))
  const model = new Map<number, ModelAgent>()
  const underWay: Array<UnderWay> = []
  let attempts = 0
  const sync = <A, E>(effect: Effect.Effect<A, E>) => Effect.runSync(Effect.either(effect))

  const begin = (index: number): void => {
    const agent = model.get(index)
    const ticket = registry.begin(idOf(index), "work")
    if (agent === undefined) return
    const attempt: Attempt = { id: attempts++, beganAt: time.now, end: undefined }
    agent.notes.push({ begin: attempt })
    underWay.push({ attempt, agent, ticket })
  }
  const end = (at: number, how: string, millis: number, cost: number): void => {
    const [ended] = underWay.splice(at, 1)
    if (ended === undefined) return
    const failure = how === "" ? undefined : (how as Agent.AgentErrorKind)
    const isInterrupted = how === "interrupted"
    ended.attempt.end = isInterrupted ? "interrupted" : { at: time.now, failure, millis, cost }
    ended.agent.notes.push({ end: ended.attempt, at: time.now })
    const usage = { inputTokens: 0, outputTokens: 0, cachedTokens: 0, costMicroUsd: cost }
    ended.ticket.end(isInterrupted ? undefined : { durationMillis: millis, usage, failure })
  }
  const compare = (strategy: ModelStrategy): void => {
    const agents = [...model.values()]
    const expected = rankedBy(agents, strategy, time.now)
    const query = { requiredSkills: ["work"] }
    const { candidates, rejections } = Effect.runSync(registry.explain(query, { strategy }))
    expect(candidates.map(({ agentId }) => agentId).sort()).toEqual(expected.map(({ id }) => id).sort())
    expect(candidates.length + rejections.length).toBe(agents.length)
    for (const { agentId, hasRoom, score } of candidates) {
      const found = expected.find(({ id }) => id === agentId)
      expect(score).toBeCloseTo(found?.score ?? Number.NaN, 9)
      expect(hasRoom).toBe(found?.isFull === false)
    }
    // Where sums differ by rounding only, either order is right.
    const isClose = expected.some((a, i) => {
      const b = expected[i + 1]
      const apart = (x: number, y: number) => x !== y && Math.abs(x - y) <= 1e-9 * Math.max(1, Math.abs(x))
      return b !== undefined && (apart(a.key, b.key) || apart(a.score, b.score))
    })
    if (!isClose) expect(candidates.map(({ agentId }) => agentId)).toEqual(expected.map(({ id }) => id))
    const selected = sync(registry.selectAgent(query, { strategy }))
    if (selected._tag === "Right") expect(selected.right.agent.id).toBe(candidates[0]?.agentId)
    else {
      expect(expected).toEqual([])
      expect(selected.left.availableAt).toBe(availableAt(agents, time.now))
    }
  }
  return (each: Act): void => {
    switch (each._tag) {
      case "Register": {
        const found = sync(registry.register(agentOf(each.who, each.priority, each.limit)))
        expect(found._tag).toBe(model.has(each.who) ? "Left" : "Right")
        if (model.has(each.who)) return
        model.set(each.who, {
          id: idOf(each.who),
          priority: each.priority,
          limit: each.limit,
          enabled: true,
          heldUntil: 0,
          notes: []
        })
        return
      }
      case "Unregister":
        sync(registry.unregister(idOf(each.who)))
        model.delete(each.who)
        return
      case "Enable":
      case "Disable": {
        const enabled = each._tag === "Enable"
        sync(enabled ? registry.enable(idOf(each.who)) : registry.disable(idOf(each.who)))
        const agent = model.get(each.who)
        if (agent !== undefined) agent.enabled = enabled
        return
      }
      case "Begin":
        begin(each.who)
        return
      case "End":
        end(each.which, each.how, each.millis, each.cost)
        return
      case "Fail":
        for (let i = 0; i < each.times; i++) {
          begin(each.who)
          if (model.has(each.who)) end(underWay.length - 1, each.how, 10, 0)
        }
        return
      case "Hold": {
        const until = time.now + each.millis
        sync(registry.hold(idOf(each.who), until, "limit"))
        const agent = model.get(each.who)
        if (agent !== undefined) agent.heldUntil = Math.max(agent.heldUntil, until)
        return
      }
      case "Wait":
        time.now += each.millis
        return
      case "Select":
        compare(each.strategy)
    }
  }
}

const { SWITCHYARD_SEED } = process.env
const seed = SWITCHYARD_SEED === undefined ? {} : { seed: Number(SWITCHYARD_SEED) }

describe("selection", () => {
  it("chooses as the plain reference does, whatever happened", () => {
    fc.assert(
      fc.property(fc.array(act, { minLength: 20, maxLength: 200, size: "max" }), (acts) => {
        const perform = makeWorld()
        for (let index = 0; index < 4; index++)
          perform({ _tag: "Register", who: index, priority: 0, limit: 100 })
        for (const each of acts) perform(each)
      }),
      { numRuns: 100, ...seed }
    )
  })
})

/** Numbers between 0 and 1 that are the same each time. */
const chance = (start: number) => {
  let state = start
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

interface Kind {
  readonly id: string
  readonly succeeds: number
}

/** Lets agents of known quality do one thing after the other, a minute each, and says who did what. */
const simulate = (random: () => number) => {
  const time = { now: 1_700_000_000_000 }
  const registry = Effect.runSync(Effect.withClock(AgentRegistry.make(), makeClock(time)))
  const quality = new Map<string, number>()
  const usage = { inputTokens: 0, outputTokens: 0, cachedTokens: 0, costMicroUsd: 0 }
  return {
    add: ({ id, succeeds }: Kind) => {
      quality.set(id, succeeds)
      const agent = Agent.make(id, { capabilities: [{ skill: "work" }], run: () => Effect.succeed(null) })
      Effect.runSync(registry.register(agent))
    },
    setQuality: (id: string, succeeds: number) => quality.set(id, succeeds),
    run: (times: number, millis = 60_000): ReadonlyArray<string> =>
      Array.from({ length: times }, () => {
        const { agent } = Effect.runSync(registry.selectAgent({ requiredSkills: ["work"] }))
        const failure = random() < (quality.get(agent.id) ?? 0) ? undefined : "Failed"
        registry.begin(agent.id, "work").end({ durationMillis: 1_000, usage, failure })
        time.now += millis
        return agent.id
      })
  }
}

const share = (done: ReadonlyArray<string>, id: string) =>
  done.filter((each) => each === id).length / done.length

describe("fairness to new agents", () => {
  const seeds = Array.from({ length: 8 }, (_, index) => index + 1)

  it("has a new agent tried soon, beside good ones as well", () => {
    for (const start of seeds) {
      const world = simulate(chance(start))
      world.add({ id: "incumbent", succeeds: 0.98 })
      world.run(500)
      world.add({ id: "newcomer", succeeds: 0.98 })
      expect(world.run(10).includes("newcomer")).toBe(true)
    }
  })

  it("has ten new agents tried soon, without giving all work to them", () => {
    for (const start of seeds) {
      const world = simulate(chance(start))
      world.add({ id: "incumbent", succeeds: 0.95 })
      world.run(500)
      for (let index = 0; index < 10; index++) world.add({ id: `new-${index}`, succeeds: 0.1 })
      const done = world.run(300)
      for (let index = 0; index < 10; index++) expect(done).toContain(`new-${index}`)
      expect(share(done, "incumbent")).toBeGreaterThan(0.7)
    }
  })

  it("lets the better one win in the end", () => {
    for (const start of seeds) {
      const world = simulate(chance(start))
      world.add({ id: "incumbent", succeeds: 0.6 })
      world.run(500)
      world.add({ id: "better", succeeds: 0.95 })
      world.run(500)
      expect(share(world.run(500), "better")).toBeGreaterThan(0.8)
    }
  })

  it("gives a bad one little, but tries it again, and finds out when it has become good", () => {
    for (const start of seeds) {
      const world = simulate(chance(start))
      world.add({ id: "good", succeeds: 0.9 })
      world.add({ id: "bad", succeeds: 0.05 })
      const week = world.run(2_000, 300_000)
      expect(share(week.slice(200), "bad")).toBeLessThan(0.1)
      expect(share(week.slice(200), "bad")).toBeGreaterThan(0)
      world.setQuality("bad", 1)
      world.setQuality("good", 0.6)
      world.run(2_000, 300_000)
      expect(share(world.run(500), "bad")).toBeGreaterThan(0.6)
    }
  })
})
