import { describe, expect, it } from "@effect/vitest"
import * as Agent from "@switchyard/core/Agent"
import { AgentRegistry } from "@switchyard/core/AgentRegistry"
import { ControlPlane } from "@switchyard/core/ControlPlane"
import type { Entry } from "@switchyard/core/Event"
import { EventLog } from "@switchyard/core/EventLog"
import type { RunId } from "@switchyard/core/Ids"
import { attenuate, excess, type Granted, type Permission } from "@switchyard/core/Permission"
import * as Run from "@switchyard/core/Run"
import { make as makeGated } from "@switchyard/core/testing/GatedAgent"
import * as Workflow from "@switchyard/core/Workflow"
import { unguarded } from "@switchyard/core/WorkspaceService"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import { of, start } from "./engine.js"

/** An agent that says what it was granted. */
const frank = (id: string, skill = id) =>
  Agent.make(id, {
    capabilities: [{ skill }],
    run: ({ permissions }) =>
      Effect.succeed(permissions.granted === undefined ? "all" : [...permissions.granted])
  })

const begin = (agents: ReadonlyArray<Agent.Agent>) =>
  Effect.gen(function* () {
    const registry = yield* AgentRegistry
    for (const each of agents) yield* registry.register(each)
    return yield* ControlPlane
  })

const permissionsIn = (entries: ReadonlyArray<Entry>) => Run.fold(entries)?.permissions

const entriesOf = (runId: RunId) =>
  Effect.flatMap(EventLog, (log) =>
    Effect.map(Stream.runCollect(log.read({ runs: [runId] })), (all) => [...all])
  )

const asks = (
  id: string,
  wanted: ReadonlyArray<readonly [Permission, string]>,
  more: Partial<Agent.Options> = {}
) =>
  Agent.make(id, {
    capabilities: [{ skill: id }],
    run: ({ permissions }) =>
      Effect.gen(function* () {
        for (const [permission, reason] of wanted)
          yield* Effect.ignore(permissions.require(permission, reason))
        const [first] = wanted
        if (first !== undefined) yield* permissions.require(...first)
        return "done"
      }),
    ...more
  })

const permission = fc.constantFrom<Permission>(
  "ReadFiles",
  "WriteFiles",
  "Execute",
  "Network",
  "tool:a",
  "tool:b"
)
const granted = fc.option(fc.uniqueArray(permission), { nil: undefined })

const isWithin = (inner: Granted, outer: Granted) => excess(outer, inner).length === 0

it.effect("what cannot be given as it has to be is denied, and recorded", () =>
  Effect.gen(function* () {
    const registry = yield* AgentRegistry
    yield* registry.register(
      Agent.make("confined", {
        capabilities: [{ skill: "confine" }],
        run: (task) => task.permissions.deny("Execute", "there is no sandbox here")
      })
    )
    const plane = yield* ControlPlane
    const workflow = Workflow.make("w").pipe(Workflow.step("a", { skill: "confine" }))
    const run = yield* plane.registerRun({ workflow, permissions: ["Execute"] })
    const { failure, status } = yield* run.result
    expect([status, failure]).toMatchObject([
      "Failed",
      { kind: "PermissionDenied", message: "there is no sandbox here" }
    ])
    const entries = yield* Stream.runCollect(run.events)
    expect([...entries].map(({ event }) => event)).toContainEqual({
      _tag: "PermissionDenied",
      stepId: "a",
      item: "a",
      index: 0,
      agentId: "confined",
      permission: "Execute",
      reason: "there is no sandbox here"
    })
  }).pipe(Effect.provide(start()))
)

describe("what both grant", () => {
  it("is never more than either, and the same whichever comes first", () => {
    fc.assert(
      fc.property(granted, granted, (a, b) => {
        const both = attenuate(a, b)
        expect(isWithin(both, a) && isWithin(both, b)).toBe(true)
        expect(new Set(both)).toEqual(new Set(attenuate(b, a)))
        expect(attenuate(both, a)?.length).toBe(both?.length)
      })
    )
  })
})

describe("the permissions of a run", () => {
  it.effect("are what its workflow and its request both grant, and everything where neither says so", () =>
    Effect.gen(function* () {
      const plane = yield* begin([frank("a")])
      const plain = Workflow.make("w").pipe(Workflow.step("one", { skill: "a" }))
      const narrow = Workflow.make("w", { permissions: ["Network", "ReadFiles"] }).pipe(
        Workflow.step("one", { skill: "a" }),
        Workflow.step("two", { skill: "a", permissions: ["ReadFiles", "Execute"] })
      )
      const result = (request: Parameters<typeof plane.registerRun>[0]) =>
        Effect.flatMap(plane.registerRun(request), (run) => run.result)
      expect((yield* result({ workflow: plain })).output).toEqual({ one: "all" })
      expect((yield* result({ workflow: plain, permissions: [] })).output).toEqual({ one: [] })
      expect((yield* result({ workflow: plain, permissions: ["Execute"] })).output).toEqual({
        one: ["Execute"]
      })
      const both = yield* result({ workflow: narrow, permissions: ["ReadFiles", "Execute"] })
      expect(both.output).toEqual({ one: ["ReadFiles"], two: ["ReadFiles"] })
      const [registered] = of(yield* entriesOf(both.runId), "RunRegistered")
      expect(registered?.event.permissions).toEqual(["ReadFiles"])
    }).pipe(Effect.provide(start()))
  )

  it.effect("are part of what makes a registration the same one", () =>
    Effect.gen(function* () {
      const plane = yield* begin([frank("a")])
      const workflow = Workflow.make("w").pipe(Workflow.step("one", { skill: "a" }))
      const register = (permissions: ReadonlyArray<Permission>) =>
        plane.registerRun({ workflow, id: "r", permissions })
      yield* (yield* register(["ReadFiles", "Execute"])).result
      expect((yield* register(["Execute", "ReadFiles", "Execute"])).runId).toBe("r")
      expect((yield* Effect.flip(register(["Execute"])))._tag).toBe("RunExists")
    }).pipe(Effect.provide(start()))
  )

  it.effect("go down through subworkflows, and are never more below", () =>
    Effect.gen(function* () {
      const plane = yield* begin([frank("a")])
      const innermost = Workflow.make("innermost", {
        permissions: ["Network", "WriteFiles", "Execute"]
      }).pipe(Workflow.step("leaf", { skill: "a" }))
      const inner = Workflow.make("inner").pipe(
        Workflow.step("deeper", { subworkflow: innermost }),
        Workflow.step("leaf", { skill: "a" })
      )
      const outer = Workflow.make("outer", { permissions: ["ReadFiles", "Network", "WriteFiles"] }).pipe(
        Workflow.step("all", { subworkflow: inner }),
        Workflow.step("some", { subworkflow: inner, permissions: ["Network", "Execute"] })
      )
      const run = yield* plane.registerRun({ workflow: outer })
      expect((yield* run.result).output).toEqual({
        all: {
          deeper: { leaf: ["WriteFiles", "Network"].sort() },
          leaf: ["Network", "ReadFiles", "WriteFiles"]
        },
        some: { deeper: { leaf: ["Network"] }, leaf: ["Network"] }
      })
      const problems = yield* plane.validate(outer)
      expect(problems.filter(({ rule }) => rule === "permission").map(({ path }) => path)).toEqual([
        "steps[0].subworkflow.steps[0].subworkflow.permissions[2]",
        "steps[1].permissions[1]",
        "steps[1].subworkflow.steps[0].subworkflow.permissions[1]",
        "steps[1].subworkflow.steps[0].subworkflow.permissions[2]"
      ])
    }).pipe(Effect.provide(start()))
  )

  it.effect("stay what they were where a run is done again", () =>
    Effect.gen(function* () {
      const plane = yield* begin([frank("a")])
      const workflow = Workflow.make("w", { permissions: ["Network", "ReadFiles"] }).pipe(
        Workflow.step("one", { skill: "a" }),
        Workflow.step("two", { skill: "missing", after: ["one"] })
      )
      const first = yield* plane.registerRun({ workflow, permissions: ["Network"] })
      yield* first.result
      const again = yield* plane.rerun(first.runId, { from: "start" })
      const rest = yield* plane.rerun(first.runId, { from: "failure" })
      for (const each of [again, rest])
        expect(permissionsIn(yield* entriesOf(each.runId))).toEqual(["Network"])
      const [item] = of(yield* entriesOf(again.runId), "ItemCompleted")
      expect(item?.event.result).toEqual(["Network"])
    }).pipe(Effect.provide(start()))
  )

  it.effect("hold for the steps that undo what others did", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const undo = Agent.make("undo", {
        capabilities: [{ skill: "undo" }],
        run: ({ permissions }) => Effect.sync(() => seen.push([...(permissions.granted ?? ["all"])]))
      })
      const plane = yield* begin([frank("a"), undo])
      const workflow = Workflow.make("w", { permissions: ["Network", "ReadFiles"] }).pipe(
        Workflow.step("one", { skill: "a" }),
        Workflow.step("undo", { skill: "undo", compensates: "one", permissions: ["ReadFiles", "Execute"] }),
        Workflow.step("two", { skill: "missing", after: ["one"] })
      )
      yield* (yield* plane.registerRun({ workflow })).result
      expect(seen).toEqual([["ReadFiles"]])
    }).pipe(Effect.provide(start()))
  )

  it.effect("are checked where they are written, and a slip is told", () =>
    Effect.gen(function* () {
      const plane = yield* begin([])
      const step = { id: "a", skill: "x", permissions: ["netwrok", "tool:"] }
      const workflow = { name: "w", permissions: ["readfiles"], steps: [step] }
      const error = yield* Effect.flip(plane.validate(workflow as never))
      expect(error.message).toContain('permissions[0]: this must be "ReadFiles"')
      expect(error.message).toContain('not "readfiles"; did you mean "ReadFiles"?')
      expect(error.message).toContain('did you mean "Network"?')
      expect(error.message).toContain("steps[0].permissions[1]")
      const right = { name: "w", steps: [{ id: "a", skill: "x" }] }
      const asked = plane.registerRun({ workflow: right as never, permissions: ["exceute"] as never })
      expect((yield* Effect.flip(asked)).message).toContain('did you mean "Execute"?')
      const dry = plane.dryRun({ workflow: right as never, permissions: "Execute" as never })
      expect((yield* Effect.flip(dry))._tag).toBe("InvalidWorkflow")
      const map = { id: "a", map: { over: [1], value: 1 }, permissions: [] }
      const needless = yield* Effect.flip(plane.validate({ name: "w", steps: [map] } as never))
      expect(needless.message).toContain("steps[0].permissions: this is about an agent")
    }).pipe(Effect.provide(start()))
  )

  it.effect("are shown before anything is done", () =>
    Effect.gen(function* () {
      const plane = yield* begin([frank("a"), asks("b", [], { requires: ["Execute"] })])
      const workflow = Workflow.make("w", { permissions: ["Network", "ReadFiles"] }).pipe(
        Workflow.step("one", { skill: "a" }),
        Workflow.step("two", { agent: "b", permissions: ["ReadFiles"] })
      )
      const dry = yield* plane.dryRun({ workflow, permissions: ["ReadFiles", "tool:x"] })
      expect(dry.permissions).toEqual(["ReadFiles"])
      expect(dry.steps.map(({ permissions }) => permissions)).toEqual([["ReadFiles"], ["ReadFiles"]])
      expect(dry.warnings.map(({ path, rule }) => [path, rule])).toEqual([
        ["steps[1].agent", "capability"],
        ["permissions[1]", "permission"]
      ])
    }).pipe(Effect.provide(start()))
  )
})

describe("a migration", () => {
  const definition = (permissions: Granted, step: Granted = undefined) =>
    Workflow.make("w", permissions === undefined ? {} : { permissions }).pipe(
      Workflow.step("gate", { skill: "gate" }),
      Workflow.step("one", {
        skill: "a",
        after: ["gate"],
        ...(step === undefined ? {} : { permissions: step })
      })
    )

  const paused = (workflow: ReturnType<typeof definition>, permissions?: ReadonlyArray<Permission>) =>
    Effect.gen(function* () {
      const { agent: gate } = makeGated("gate")
      const plane = yield* begin([gate, frank("a")])
      const run = yield* plane.registerRun({
        workflow,
        ...(permissions === undefined ? {} : { permissions })
      })
      yield* run.control({ _tag: "Pause", mode: "interrupt" })
      while ((yield* run.status) !== "Paused") yield* Effect.yieldNow()
      return { plane, run }
    })

  const refusals: ReadonlyArray<
    readonly [string, ReturnType<typeof definition>, ReturnType<typeof definition>, string]
  > = [
    ["adds one", definition(["Network"]), definition(["Network", "Execute"]), "permissions"],
    ["lifts all of them", definition(["Network"]), definition(undefined), "permissions"],
    ["lifts those of a step", definition(["Network"], []), definition(["Network"]), "steps[1].permissions"],
    [
      "adds one to a step",
      definition(undefined, ["Network"]),
      definition(undefined, ["Network", "ReadFiles"]),
      "steps[1].permissions"
    ]
  ]
  for (const [what, before, after, path] of refusals) {
    it.effect(`that ${what} is refused`, () =>
      Effect.gen(function* () {
        const { plane, run } = yield* paused(before)
        const error = yield* Effect.flip(plane.migrate(run.runId, after))
        const reasons = error._tag === "MigrationRefused" ? error.reasons : []
        expect(reasons.map((reason) => reason.path)).toContain(path)
        expect(reasons[0]?.message).toContain("a migration cannot grant more")
      }).pipe(Effect.provide(start()))
    )
  }

  it.effect("may take away, and what it took stays away", () =>
    Effect.gen(function* () {
      const { plane, run } = yield* paused(definition(["Network", "Execute"]), [
        "Network",
        "Execute",
        "ReadFiles"
      ])
      yield* plane.migrate(run.runId, definition(["Network"]))
      expect(permissionsIn(yield* entriesOf(run.runId))).toEqual(["Network"])
      const back = yield* Effect.flip(plane.migrate(run.runId, definition(["Network", "Execute"])))
      expect(back._tag).toBe("MigrationRefused")
    }).pipe(Effect.provide(start()))
  )
})

describe("what an agent receives", () => {
  const once = (
    agents: ReadonlyArray<Agent.Agent>,
    permissions: Granted,
    options: Partial<Workflow.StepOptions<never>> = {}
  ) =>
    Effect.gen(function* () {
      const plane = yield* begin(agents)
      const work = "agent" in options ? options : { skill: "a", ...options }
      const workflow = Workflow.make("w").pipe(Workflow.step("one", work))
      const run = yield* plane.registerRun({
        workflow,
        ...(permissions === undefined ? {} : { permissions })
      })
      const result = yield* run.result
      const entries = yield* entriesOf(run.runId)
      return { result, entries, denied: of(entries, "PermissionDenied").map(({ event }) => event) }
    }).pipe(Effect.provide(start()))

  it.effect("says what may be done, and has what may not be recorded, the same thing once", () =>
    Effect.gen(function* () {
      const agent = asks("a", [
        ["Network", "to reach example.com"],
        ["Network", "to reach example.com"],
        ["Network", "to reach example.org"],
        ["tool:search", "to search"],
        ["ReadFiles", "to look"]
      ])
      const { denied, entries, result } = yield* once([agent], ["ReadFiles"], {
        retry: { attempts: 5, initial: 0 }
      })
      expect(denied.map(({ permission, reason }) => [permission, reason])).toEqual([
        ["Network", "to reach example.com"],
        ["Network", "to reach example.org"],
        ["tool:search", "to search"]
      ])
      expect(denied[0]).toMatchObject({ stepId: "one", index: 0, agentId: "a" })
      expect(of(entries, "ItemStarted")).toHaveLength(1)
      expect(result.failure?.message).toContain(
        `run ${result.runId} does not grant Network (to reach example.com); add it to the permissions of the workflow and of the request`
      )
      const [failed] = of(entries, "ItemFailed")
      expect(failed?.event.error.kind).toBe("PermissionDenied")
    })
  )

  it.effect("fills the log with a hundred denials of an attempt at most", () =>
    Effect.gen(function* () {
      const wanted = Array.from({ length: 500 }, (_, index) => [`tool:t${index}`, "x".repeat(5000)] as const)
      const { denied } = yield* once([asks("a", wanted)], [])
      expect(denied).toHaveLength(100)
      expect(denied.at(-1)?.reason).toContain("what else is denied to this attempt is not recorded")
      expect(Math.max(...denied.map(({ reason }) => reason.length))).toBeLessThan(600)
    })
  )

  it.effect("is not given to another agent because of a denial", () =>
    Effect.gen(function* () {
      const other = Agent.make("b", { capabilities: [{ skill: "b" }], run: () => Effect.succeed("b did it") })
      const options = { agent: "a", fallback: ["b"] }
      const denied = yield* once([asks("a", [["Network", "x"]]), other], [], options)
      expect(of(denied.entries, "ItemStarted").map(({ event }) => event.agentId)).toEqual(["a"])
      expect(denied.result.status).toBe("Failed")
      const failing = Agent.make("a", { capabilities: [{ skill: "a" }], run: () => Agent.fail("no") })
      expect((yield* once([failing, other], [], options)).result.status).toBe("Completed")
    })
  )

  const files = (id: string) =>
    Agent.make(id, {
      capabilities: [{ skill: id }],
      run: ({ workspace }) => {
        const tried = <A, E extends { readonly message: string }>(effect: Effect.Effect<A, E>) =>
          Effect.match(effect, { onFailure: ({ message }) => message, onSuccess: () => "allowed" })
        return Effect.all({
          write: tried(workspace.write("outputs", "a.txt", "a")),
          read: tried(
            Effect.zipRight(unguarded(workspace).write("temp", "b", "b"), workspace.read("temp", "b"))
          ),
          list: tried(workspace.list("outputs")),
          resolve: tried(workspace.resolve("outputs", "a.txt"))
        })
      }
    })

  it.effect("guards the files of its workspace", () =>
    Effect.gen(function* () {
      const all = { write: "allowed", read: "allowed", list: "allowed", resolve: "allowed" }
      const outputOf = (permissions: Granted) =>
        Effect.map(once([files("a")], permissions), ({ denied, result }) => [
          result.status === "Completed" ? (result.output as { readonly one: unknown }).one : undefined,
          denied.map(({ permission, reason }) => `${permission} ${reason}`)
        ])
      const no = (operation: string, path: string, permission: string) =>
        expect.stringMatching(`^Cannot ${operation} ${path}: run .* does not grant ${permission}`)
      expect(yield* outputOf(undefined)).toEqual([all, []])
      expect(yield* outputOf(["ReadFiles", "WriteFiles"])).toEqual([all, []])
      expect(yield* outputOf(["ReadFiles"])).toEqual([
        { ...all, write: no("write", "outputs/a.txt", "WriteFiles") },
        ["WriteFiles to write outputs/a.txt"]
      ])
      expect(yield* outputOf(["WriteFiles"])).toEqual([
        { ...all, read: no("read", "temp/b", "ReadFiles"), list: no("list", "outputs", "ReadFiles") },
        ["ReadFiles to read temp/b", "ReadFiles to list outputs"]
      ])
      expect((yield* outputOf([]))[1]).toHaveLength(4)
    })
  )

  it.effect("makes an attempt denied where what a workspace refused comes out of the agent", () =>
    Effect.gen(function* () {
      const writes = Agent.make("a", {
        capabilities: [{ skill: "a" }],
        run: ({ workspace }) => Effect.mapError(workspace.write("outputs", "x", "x"), Agent.fromUnknown)
      })
      const throws = Agent.fromPromise("a", {
        capabilities: [{ skill: "a" }],
        run: ({ workspace }) => Effect.runPromise(workspace.write("outputs", "x", "x"))
      })
      for (const agent of [writes, throws]) {
        const { entries } = yield* once([agent], [])
        expect(of(entries, "ItemFailed").map(({ event }) => event.error.kind)).toEqual(["PermissionDenied"])
      }
    })
  )

  it.effect("is not called where it needs what is not granted", () =>
    Effect.gen(function* () {
      let calls = 0
      const agent = Agent.make("a", {
        capabilities: [{ skill: "a" }],
        requires: ["Execute", "ReadFiles", "Network"],
        run: () => Effect.sync(() => ++calls)
      })
      const { denied, entries } = yield* once([agent], ["ReadFiles"], { agent: "a" })
      expect(calls).toBe(0)
      expect(denied.map(({ permission, reason }) => [permission, reason])).toEqual([
        ["Execute", 'the agent "a" needs it'],
        ["Network", 'the agent "a" needs it']
      ])
      expect(of(entries, "ItemFailed")[0]?.event.error.message).toContain("does not grant Execute")
      yield* once([agent], ["Network", "ReadFiles", "Execute"], { agent: "a" })
      expect(calls).toBe(1)
    })
  )

  it.effect("is selected among those that need no more than is granted", () =>
    Effect.gen(function* () {
      const needy = asks("a", [], { requires: ["Network"] })
      const alone = yield* once([needy], ["Execute"])
      expect(of(alone.entries, "ItemFailed")[0]?.event.error.kind).toBe("NoCapableAgent")
      const modest = Agent.make("modest", { capabilities: [{ skill: "a" }], run: () => Effect.succeed(null) })
      const agentOf = ({ entries }: { readonly entries: ReadonlyArray<Entry> }) =>
        of(entries, "ItemStarted").map(({ event }) => event.agentId)
      expect(agentOf(yield* once([needy, modest], ["Execute"]))).toEqual(["modest"])
      expect(agentOf(yield* once([needy], ["Network"]))).toEqual(["a"])
    })
  )

  it.effect("denies also after the attempt, which nobody records then", () =>
    Effect.gen(function* () {
      let kept: Agent.Permissions | undefined
      const agent = Agent.make("a", {
        capabilities: [{ skill: "a" }],
        run: ({ permissions }) =>
          Effect.sync(() => {
            kept = permissions
            return "done"
          })
      })
      const { denied, result } = yield* once([agent], [])
      expect(result.status).toBe("Completed")
      const late = yield* Effect.flip(
        kept?.require("Network", "too late") ?? Effect.fail(new Error("no handle"))
      )
      expect(late).toMatchObject({ kind: "PermissionDenied" })
      expect(denied).toEqual([])
    })
  )
})
