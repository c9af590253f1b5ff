import { isDeepStrictEqual } from "node:util"
import { layerMemory as registryInMemory } from "@switchyard/core/AgentRegistry"
import type { ControlCommand } from "@switchyard/core/Command"
import type { RunHandle } from "@switchyard/core/ControlPlane"
import { EventLog } from "@switchyard/core/EventLog"
import type { RunId } from "@switchyard/core/Ids"
import { collect } from "@switchyard/core/testing/ControlPlaneLaws"
import * as Host from "@switchyard/core/testing/Host"
import * as Workflow from "@switchyard/core/Workflow"
import { layerMemory as workspacesInMemory } from "@switchyard/core/WorkspaceService"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import { type BrittleLog, type Life, makeDisk } from "./brittleLog.js"
import { findWrong } from "./history.js"
import { type Simulation, simulate } from "./simulation.js"
import { answerOf, definitionOf, type Spec } from "./workflows.js"
import { drawn, isDrawn, makeWorld, type Seen } from "./world.js"

/**
 * What happens to a run from outside, `after` milliseconds after the one before: once nothing else can be done at that time,
 * or after so many turns of what can.
 */
export interface Action {
  readonly after: number
  readonly turns: number | undefined
  readonly act:
    | ControlCommand
    | { readonly _tag: "Answer" }
    /** To one of the runs that are items and have not ended. */
    | { readonly _tag: "Child"; readonly nth: number; readonly command: ControlCommand }
    | { readonly _tag: "StopHost" }
    | { readonly _tag: "Crash"; readonly kept: number }
}

/** Everything that happens to a run beside what its steps do. */
export interface Story {
  readonly actions: ReadonlyArray<Action>
  /** The hosts of the run, one after the other; those that come later live as long as they have to. */
  readonly lives: ReadonlyArray<Life>
  /** After how many operations a fiber gives way. */
  readonly operations: number
  /** How many runs may be running at once. */
  readonly slots: number
}

/** A host that has opened the disk, and the run there; it may be dead already. */
interface Yard extends BrittleLog {
  readonly host: Host.Host
  readonly run: RunHandle | undefined
}

/** How often a run is sent on until it has to have ended, and how long after the time before. */
const mostTurns = 300
const turnMillis = 60

/** How long an agent may be held at most, as its limits are drawn. */
const longestHold = 5_000

/** The reference knows of no circuit, and failures in a row would open it. */
const noCircuit = { circuit: { failures: Number.POSITIVE_INFINITY, rate: 2 } }

const calm: Life = { syncMillis: undefined, entries: undefined, kept: 0 }

/** Another run, which gets through only where every slot is given back. */
const further: Workflow.Definition = {
  name: "further",
  steps: [Workflow.stepDefinition("each", { skill: "work", forEach: [0, 1, 2] })]
}

/** Executes a drawn workflow, does to it what was drawn, and gives all that must not be. */
const scenario = ({ actions, lives, slots }: Story, spec: Spec, simulation: Simulation) =>
  Effect.gen(function* () {
    const wrong: Array<string> = []
    const workflow = definitionOf(spec)
    const world = makeWorld(spec, slots, simulation.now, wrong)
    const disk = makeDisk(simulation, world.handed, world.kept)
    const workspaces = yield* Layer.build(workspacesInMemory())
    const acknowledged = new Set<string>()
    let started = 0
    let sent = 0

    const start = (life: Life): Effect.Effect<Yard, unknown> =>
      Effect.gen(function* () {
        const brittle = disk.open(life)
        world.begin(brittle.isDead)
        const host = yield* Host.start({ maxConcurrentRuns: slots }).pipe(
          Effect.provideService(EventLog, brittle.log),
          Effect.provide(registryInMemory([world.agent], noCircuit)),
          Effect.provide(workspaces)
        )
        const opened = yield* Effect.exit(
          Effect.flatMap(host.plane.recover, (found) => {
            const again = found.find(({ runId }) => runId === drawn)
            return again === undefined
              ? host.plane.registerRun({ id: drawn, workflow, params: 0 })
              : Effect.succeed(again)
          })
        )
        if (Exit.isFailure(opened) && !brittle.isDead()) return yield* Effect.failCause(opened.cause)
        return { ...brittle, host, run: Exit.isSuccess(opened) ? opened.value : undefined }
      })
    const stop = ({ host }: Yard) =>
      Effect.map(host.stop, () => {
        if (world.agent.running() > 0) wrong.push("calls are under way after the host is gone")
      })
    const startNext: Effect.Effect<Yard, unknown> = Effect.gen(function* () {
      const yard = yield* start(lives[started++] ?? calm)
      if (!yard.isDead()) return yard
      yield* stop(yard)
      return yield* startNext
    })

    let yard = yield* startNext
    const subscribed = yield* Effect.fork(
      yard.run === undefined ? Effect.succeed([]) : collect(yard.run.events)
    )
    const restart = Effect.gen(function* () {
      yield* stop(yard)
      yard = yield* startNext
    })

    /** Sends a command; says how it was answered. */
    const send = (command: ControlCommand, id = `c${++sent}`, runId: RunId = drawn) =>
      Effect.gen(function* () {
        const { host, isDead, run } = yard
        if (run === undefined) return "refused"
        const sending =
          runId === drawn ? run.control(command, id) : host.plane.sendCommand(runId, command, id)
        const answer = yield* Effect.either(sending)
        if (answer._tag === "Right") acknowledged.add(id)
        else if (answer.left._tag !== "IllegalCommand" && !isDead())
          wrong.push(`${command._tag} is answered with ${answer.left._tag}`)
        return answer._tag === "Right" ? "accepted" : isDead() ? "unknown" : "refused"
      })
    const setConcurrency = (command: Extract<ControlCommand, { readonly _tag: "SetConcurrency" }>) =>
      Effect.gen(function* () {
        const before = world.limit()
        world.allow(Math.max(before, command.limit))
        const answer = yield* send(command)
        if (answer !== "unknown") world.allow(answer === "accepted" ? command.limit : before)
      })
    /** Says to all steps what they wait for, or will. */
    const answerAll = Effect.gen(function* () {
      for (const [runId, { settled, spec }] of world.open()) {
        for (const index of spec.steps.keys()) {
          const stepId = `s${index}`
          const command = settled.has(stepId) ? undefined : answerOf(spec, stepId)
          if (command !== undefined) yield* send(command, `answer-${runId}-${stepId}`, runId)
        }
      }
    })
    /** Whether nothing that a run is an item of stands still, or is about to. */
    const mayGoOn = ({ parent }: Seen): boolean =>
      parent === undefined || (parent.run?.pause === undefined && mayGoOn(parent))
    const sendChild = ({ command, nth }: Extract<Action["act"], { readonly _tag: "Child" }>) =>
      Effect.gen(function* () {
        const children = world.open().slice(1)
        const [runId, seen] = children[nth % Math.max(1, children.length)] ?? []
        if (runId === undefined || seen === undefined) return
        if (command._tag !== "Resume" || mayGoOn(seen)) yield* send(command, undefined, runId)
      })
    /** Has everything go on that others than the run itself would have to send on. */
    const sendOn = Effect.gen(function* () {
      for (const [runId, seen] of world.open()) {
        if (yard.run === undefined || yard.isDead() || !mayGoOn(seen)) continue
        const found = yield* Effect.either(Effect.flatMap(yard.host.plane.get(runId), ({ status }) => status))
        const status = found._tag === "Right" ? found.right : "unknown"
        const held = status === "Paused" && (runId === drawn || seen.heldByOthers)
        if (!held && status !== "Interrupted") continue
        const answer = yield* send({ _tag: "Resume" }, undefined, runId)
        if (answer === "refused" && (runId === drawn || seen.run?.cancel !== undefined))
          yield* send({ _tag: "Cancel" }, undefined, runId)
      }
    })

    for (const { act, after, turns } of actions) {
      if (turns === undefined) yield* simulation.rest(after)
      else yield* Effect.sleep(after)
      for (let turn = 0; turn < (turns ?? 0); turn++) yield* Effect.yieldNow()
      if (world.isOver()) break
      if (act._tag === "Crash") yard.crash(act.kept)
      if (yard.isDead() || act._tag === "StopHost") yield* restart
      else if (act._tag === "Answer") yield* answerAll
      else if (act._tag === "SetConcurrency") yield* setConcurrency(act)
      else if (act._tag === "Child") yield* sendChild(act)
      else if (act._tag !== "Crash") yield* send(act)
    }
    for (let turn = 0; turn < mostTurns && !world.isOver(); turn++) {
      if (yard.isDead()) yield* restart
      yield* sendOn
      yield* answerAll
      yield* simulation.rest(turnMillis)
    }
    if (!world.isOver())
      return [...wrong, `the run never ends, but is ${yield* yard.run?.status ?? Effect.succeed("?")}`]

    if (yard.isDead()) yield* restart
    yard.spare()
    if (yard.run !== undefined) yield* yard.run.result
    const entries = disk.entries.filter(({ runId }) => isDrawn(runId))
    wrong.push(...findWrong(spec, drawn, entries))
    const taken = entries.flatMap(({ event }) => ("commandId" in event ? [String(event.commandId)] : []))
    for (const id of acknowledged)
      if (!taken.includes(id)) wrong.push(`command ${id} was accepted and is lost`)
    const own = entries.filter(({ runId }) => runId === drawn)
    if (started === 1 && !isDeepStrictEqual(yield* Fiber.join(subscribed), own))
      wrong.push("a subscriber from the start has seen something else")
    if (world.agent.running() > 0) wrong.push("calls are under way after the end")
    const next = yield* yard.host.plane.registerRun({ workflow: further })
    // Its agent may be held for a while after the last limit that it told of.
    yield* simulation.rest(longestHold)
    if ((yield* next.status) !== "Completed") wrong.push(`a further run is ${yield* next.status}`)
    yield* stop(yard)
    return wrong
  })

/** Everything that must not be, and is, where a drawn workflow is executed and a story happens to it. */
export const check = (spec: Spec, story: Story, seed: number): ReadonlyArray<string> => {
  const exit = simulate(seed, story.operations, (simulation) =>
    Effect.scoped(scenario(story, spec, simulation)).pipe(Logger.withMinimumLogLevel(LogLevel.None))
  )
  return Exit.isSuccess(exit) ? exit.value : [Cause.pretty(exit.cause)]
}
