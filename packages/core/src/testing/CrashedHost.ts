import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { RunHandle } from "../ControlPlane.js"
import type { Event } from "../Event.js"
import { generateRunId, type RunId } from "../Ids.js"
import type * as Run from "../Run.js"
import { Suspended, WorkspaceService } from "../WorkspaceService.js"
import { type Bench, collect, items } from "./ControlPlaneLaws.js"
import * as Host from "./Host.js"
import { equal } from "./Law.js"

const eventsOf = (log: Bench["log"], runId: RunId) =>
  Effect.map(collect(log.read({ runs: [runId] })), (entries) => entries.map(({ event }) => event))

/** Records the same once more under another id: so it would look if the host of the run crashed now. */
export const crashed = (log: Bench["log"], runId: RunId) =>
  Effect.gen(function* () {
    const id = yield* generateRunId
    yield* log.append(id, yield* eventsOf(log, runId))
    return id
  })

/** Crashes the host of a run, by a copy of it that is left behind; the run itself ends. */
export const crash = (log: Bench["log"], host: Host.Host, run: RunHandle) =>
  Effect.gen(function* () {
    const id = yield* crashed(log, run.runId)
    yield* run.control({ _tag: "Cancel" })
    yield* run.result
    yield* host.stop
    return id
  })

/** Waits until a run has a status. */
export const becomes = (run: RunHandle, status: Run.RunStatus) =>
  Effect.gen(function* () {
    while ((yield* run.status) !== status) yield* Effect.yieldNow()
  })

/** Waits until it is durable that something has happened in a run. */
const recorded = (run: RunHandle, tag: Event["_tag"]) =>
  run.events.pipe(
    Stream.filter(({ event }) => event._tag === tag),
    Stream.runHead
  )

/** The one run that a host recovers. */
export const only = (host: Host.Host, id: RunId) =>
  Effect.gen(function* () {
    const [run, ...others] = yield* host.plane.recover
    yield* equal("this run is recovered", [run?.runId, others.length], [id, 0])
    return run ?? (yield* host.plane.get(id))
  })

/** A run that crashed its host as often, and the host that did not recover it any more. */
export const parked = ({ log, work }: Bench, times: number, options: Host.Options = {}) =>
  Effect.gen(function* () {
    let host = yield* Host.start(options)
    let run = yield* host.plane.registerRun({ workflow: items(2), concurrency: 1 })
    yield* recorded(run, "RunStarted")
    for (let n = 1; n < times; n++) {
      yield* work.reached(1)
      const id = yield* crash(log, host, run)
      host = yield* Host.start(options)
      run = yield* only(host, id)
    }
    yield* work.reached(1)
    const id = yield* crash(log, host, run)
    host = yield* Host.start(options)
    yield* equal("it is not recovered again", (yield* host.plane.recover).length, 0)
    return { host, id }
  })

/** Runs that a host left in every state, by the state. */
export const left = ({ log, work }: Bench) =>
  Effect.gen(function* () {
    const host = yield* Host.start({ maxConcurrentRuns: 2 })
    const register = () => host.plane.registerRun({ workflow: items(2), concurrency: 1 })
    const paused = yield* register()
    yield* work.reached(1)
    yield* paused.control({ _tag: "Pause", mode: "interrupt" })
    yield* recorded(paused, "RunPaused")
    const running = yield* register()
    const stopped = yield* register()
    yield* work.reached(2)
    yield* recorded(running, "RunStarted")
    const queued = yield* register()
    const cancelled: ReadonlyArray<Event> = [
      ...(yield* eventsOf(log, running.runId)),
      { _tag: "CancelRequested", commandId: "c" as never, reason: "enough" }
    ]
    const cancelling = yield* generateRunId
    yield* log.append(cancelling, cancelled)
    const copies = {
      Running: yield* crashed(log, running.runId),
      Paused: yield* crashed(log, paused.runId),
      Queued: yield* crashed(log, queued.runId)
    }
    for (const run of [running, paused, queued]) yield* run.control({ _tag: "Cancel" })
    for (const run of [running, paused, queued]) yield* run.result
    yield* host.stop
    return { ...copies, Interrupted: stopped.runId, Cancelling: cancelling }
  })

/** Makes the workspace of a run as it is when its host is killed, with something temporary in it. */
export const made = (id: RunId) =>
  Effect.gen(function* () {
    const workspaces = yield* WorkspaceService
    const scope = yield* Scope.make()
    const workspace = yield* Scope.extend(workspaces.create(id, null), scope)
    yield* workspace.write("temp", "t", "1")
    yield* Scope.close(scope, Exit.fail(new Suspended()))
  })
