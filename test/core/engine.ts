import type { Agent } from "@switchyard/core/Agent"
import { AgentRegistry } from "@switchyard/core/AgentRegistry"
import { ControlPlane } from "@switchyard/core/ControlPlane"
import type { Entry, Event, EventOf } from "@switchyard/core/Event"
import * as Run from "@switchyard/core/Run"
import { collect } from "@switchyard/core/testing/ControlPlaneLaws"
import * as MemoryPlane from "@switchyard/core/testing/MemoryPlane"
import type { Act, Script } from "@switchyard/core/testing/ScriptedAgent"
import * as ScriptedAgent from "@switchyard/core/testing/ScriptedAgent"
import type { Workflow } from "@switchyard/core/Workflow"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"

/** An agent that does the same on every call, or what a script says. */
export const agent = (id: string, script: Script | ReadonlyArray<Act>): ScriptedAgent.ScriptedAgent =>
  ScriptedAgent.make(id, script)

/** The entries of one kind, in order. */
export const of = <Tag extends Event["_tag"]>(entries: ReadonlyArray<Entry>, tag: Tag) =>
  entries.flatMap(({ event, time }) => (event._tag === tag ? [{ event: event as EventOf<Tag>, time }] : []))

/** A whole plane in memory. */
export const start = () => MemoryPlane.layer()

/**
 * Executes a workflow with these agents, moving the test clock by a millisecond while the run goes on, so that every entry
 * has the time at which it became possible.
 */
export const execute = <Params, Steps>(
  workflow: Workflow<Params, Steps>,
  agents: ReadonlyArray<Agent>,
  params: unknown = {}
) =>
  Effect.gen(function* () {
    const registry = yield* AgentRegistry
    for (const each of agents) yield* registry.register(each)
    const plane = yield* ControlPlane
    const run = yield* plane.registerRun({ workflow: workflow.definition, params })
    for (let turn = 0; turn < 2_000 && !Run.isTerminal(yield* run.status); turn++) {
      yield* TestClock.adjust(turn < 300 ? 1 : 1_000)
    }
    return { result: yield* run.result, entries: yield* collect(run.events) }
  }).pipe(Effect.provide(start()))
