import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Agent from "../Agent.js"
import type { Json } from "../Json.js"
import { eventually, type LawViolated } from "./Law.js"

/** One call of a gated agent: what it was asked, and what became of it so far. */
export interface Call {
  readonly task: Agent.Task
  state: "running" | "done" | "failed" | "interrupted"
}

/** An agent whose calls wait until they are let go, so that a test decides what is under way, without any clock. */
export interface GatedAgent {
  readonly agent: Agent.Agent
  /** All calls so far, in the order in which they began. */
  readonly calls: ReadonlyArray<Call>
  /** How many calls are under way now. */
  readonly running: () => number
  /** How many calls were under way at most at one time. */
  readonly peak: () => number
  /** Waits until as many calls are under way. */
  readonly reached: (running: number) => Effect.Effect<void, LawViolated>
  /** Lets the calls go that have waited longest; each gives its input. */
  readonly release: (count?: number) => Effect.Effect<void>
  /** Fails the call that has waited longest. */
  readonly fail: (error: Agent.AgentError) => Effect.Effect<void>
  /** Lets everything go, later calls included. */
  readonly open: Effect.Effect<void>
}

/** A gated agent with one skill, named like itself. */
export const make = (id: string): GatedAgent => {
  const calls: Array<Call> = []
  const waiting = new Set<Deferred.Deferred<Json, Agent.AgentError>>()
  let running = 0
  let peak = 0
  let opened = false
  const oldest = () => Effect.sync(() => [...waiting][0])
  const agent = Agent.make(id, {
    capabilities: [{ skill: id }],
    run: (task) =>
      Effect.gen(function* () {
        const gate = yield* Deferred.make<Json, Agent.AgentError>()
        const call: Call = { task, state: "running" }
        return yield* Effect.acquireUseRelease(
          Effect.sync(() => {
            calls.push(call)
            waiting.add(gate)
            running++
            peak = Math.max(peak, running)
          }),
          () => (opened ? Effect.succeed(task.input) : Deferred.await(gate)),
          (_, exit) =>
            Effect.sync(() => {
              waiting.delete(gate)
              running--
              call.state =
                exit._tag === "Success" ? "done" : exit.cause._tag === "Fail" ? "failed" : "interrupted"
            })
        )
      })
  })
  const finish = (gate: Deferred.Deferred<Json, Agent.AgentError> | undefined) => {
    const call = calls.find(({ state }) => state === "running")
    if (gate === undefined || call === undefined) return Effect.void
    return Effect.andThen(Deferred.succeed(gate, call.task.input), settled(gate))
  }
  const settled = (gate: Deferred.Deferred<Json, Agent.AgentError>) =>
    Effect.ignore(eventually("the call ends", () => !waiting.has(gate)))
  return {
    agent,
    calls,
    running: () => running,
    peak: () => peak,
    reached: (count) => eventually(`${count} calls of ${id} are under way`, () => running === count),
    release: (count = 1) =>
      Effect.forEach(Array.from({ length: count }), () => Effect.flatMap(oldest(), finish), {
        discard: true
      }),
    fail: (error) =>
      Effect.flatMap(oldest(), (gate) =>
        gate === undefined ? Effect.void : Effect.andThen(Deferred.fail(gate, error), settled(gate))
      ),
    open: Effect.suspend(() => {
      opened = true
      return Effect.forEach([...waiting], finish, { discard: true })
    })
  }
}
