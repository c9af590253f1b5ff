import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { AgentRegistry } from "../AgentRegistry.js"
import type * as Budget from "../Budget.js"
import type { ControlCommand } from "../Command.js"
import type { RunHandle } from "../ControlPlane.js"
import type { Event, EventOf } from "../Event.js"
import { StepId } from "../Ids.js"
import { QueryService } from "../QueryService.js"
import type * as Run from "../Run.js"
import * as Usage from "../Usage.js"
import * as Workflow from "../Workflow.js"
import { collect } from "./ControlPlaneLaws.js"
import { holds } from "./Law.js"
import * as ScriptedAgent from "./ScriptedAgent.js"

/** The command that raises a budget. */
export const raise = (ceilings: Budget.Ceilings, stepId?: string): ControlCommand => ({
  _tag: "RaiseBudget",
  ...(stepId === undefined ? {} : { stepId: StepId.make(stepId) }),
  ...ceilings
})

/** So many tokens used. */
export const tokens = (count: number) => Usage.make({ inputTokens: count })

/** The numbers from 0 on. */
export const numbers = (count: number) => Array.from({ length: count }, (_, n) => n)

/** An agent that uses tokens. */
export interface Spender {
  readonly agent: ScriptedAgent.ScriptedAgent
  /** How many attempts were under way at most at one time. */
  readonly most: () => number
}

/** An agent that uses as many tokens for each item. */
export const makeSpender = (each = 100): Spender => {
  let most = 0
  const agent: ScriptedAgent.ScriptedAgent = ScriptedAgent.make("spend", ({ input }) => {
    most = Math.max(most, agent.running())
    return [ScriptedAgent.wait(10), ScriptedAgent.give(input, tokens(each))]
  })
  return { agent, most: () => most }
}

/** Registers an agent and gives it. */
export const registered = <A extends ScriptedAgent.ScriptedAgent>(agent: A) =>
  Effect.as(
    Effect.flatMap(AgentRegistry, (registry) => registry.register(agent)),
    agent
  )

/** A workflow of one step with so many items, and a budget. */
export const fanOut = (
  count: number,
  budget: Budget.Budget,
  options: Partial<Workflow.StepOptions<never>> = {}
) =>
  Workflow.make("fan-out", { budget }).pipe(
    Workflow.step("each", { skill: "spend", forEach: numbers(count), ...options })
  )

/** What is durable of one kind in a run. */
export const eventsOf = <Tag extends Event["_tag"]>(run: RunHandle, tag: Tag) =>
  Effect.gen(function* () {
    const query = yield* QueryService
    return (yield* collect(query.events({ runs: [run.runId] }))).flatMap(({ event }) =>
      event._tag === tag ? [event as EventOf<Tag>] : []
    )
  })

/** Lets the time pass, bit by bit, until a run stands so, and the read side says so too. */
export const until = (run: RunHandle, status: Run.RunStatus, step = 10) =>
  Effect.gen(function* () {
    const query = yield* QueryService
    for (let turn = 0; (yield* run.status) !== status; turn++) {
      yield* holds(`the run becomes ${status}`, turn < 2_000, yield* run.status)
      yield* TestClock.adjust(step)
      yield* Effect.yieldNow()
    }
    const shown = Effect.zipRight(query.sync, query.getRun(run.runId))
    while ((yield* shown).status !== status) yield* Effect.yieldNow()
  })

/** Waits until the end of a run that needs time to come to it. */
export const ended = (run: RunHandle, status: Run.RunStatus, step = 10) =>
  Effect.zipRight(until(run, status, step), run.result)

/** How many tokens a run has used, as the read side shows it. */
export const usedBy = (run: RunHandle) =>
  Effect.gen(function* () {
    const query = yield* QueryService
    yield* query.sync
    return Usage.totalTokens((yield* query.getRun(run.runId)).usage)
  })
