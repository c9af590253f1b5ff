import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { AgentRegistry } from "../AgentRegistry.js"
import { ControlPlane } from "../ControlPlane.js"
import type { Entry } from "../Event.js"
import { EventLog } from "../EventLog.js"
import { logId, type Seq } from "../Ids.js"
import { fork } from "../internal/compat.js"
import type { QueryService } from "../QueryService.js"
import * as Run from "../Run.js"
import * as Workflow from "../Workflow.js"
import type { WorkspaceService } from "../WorkspaceService.js"
import * as GatedAgent from "./GatedAgent.js"
import { equal, eventually, fails, holds, type Law } from "./Law.js"

/** The services that a law of the control plane works with, all on the same log. */
export type Plane = ControlPlane | EventLog | AgentRegistry | WorkspaceService | QueryService

/** What most laws need: the control plane, the log, and a gated agent with the skill `work`. */
export interface Bench {
  readonly plane: ControlPlane["Type"]
  readonly log: EventLog["Type"]
  readonly work: GatedAgent.GatedAgent
}

/** A law about the control plane, with a gated agent registered. */
export const law = (
  name: string,
  check: (bench: Bench) => Effect.Effect<void, unknown, Plane>
): Law<Plane> => ({
  name,
  check: Effect.gen(function* () {
    const plane = yield* ControlPlane
    const log = yield* EventLog
    const work = GatedAgent.make("work")
    yield* Effect.flatMap(AgentRegistry, (registry) => registry.register(work.agent))
    yield* check({ plane, log, work })
  })
})

/** Everything that a stream gives. */
export const collect = <A, E, R>(entries: Stream.Stream<A, E, R>) =>
  Effect.map(Stream.runCollect(entries), (chunk) => Chunk.toReadonlyArray(chunk))

/** The kinds of the entries, in order. */
export const tags = (entries: ReadonlyArray<Entry>): ReadonlyArray<string> =>
  entries.map(({ event }) => event._tag)

/** A workflow of one step with items `0 …`. */
export const items = (count: number, options: Partial<Workflow.StepOptions<never>> = {}) =>
  Workflow.make("items").pipe(
    Workflow.step("each", {
      skill: "work",
      forEach: Array.from({ length: count }, (_, i) => i),
      ...options
    })
  )

/** The history of a run is legal, every step settles once, and it ends with exactly one terminal event. */
export const wellFormed = (entries: ReadonlyArray<Entry>) =>
  Effect.gen(function* () {
    const first = entries[0]
    const run = first && Run.register(first)
    if (run === undefined) return yield* holds("it begins with the registration", false, tags(entries))
    for (const entry of entries.slice(1)) {
      const illegal = Run.apply(run, entry)
      yield* holds("every entry can follow", illegal === undefined, illegal?.message)
    }
    const terminal = tags(entries).filter((tag) => /^Run(Completed|Failed|Cancelled)$/.test(tag))
    yield* equal("exactly one terminal event", terminal.length, 1)
    yield* equal("it is the last", tags(entries).at(-1), terminal[0])
    for (const { id } of run.definition.steps) {
      const settled = entries.filter(
        ({ event }) =>
          "stepId" in event &&
          event.stepId === id &&
          /^Step(Completed|Failed|Skipped|Cancelled|Reused)$/.test(event._tag)
      )
      yield* equal(`step ${id} settles once`, settled.length, 1)
    }
  })

const double = Workflow.make("double", {
  params: Schema.Struct({
    texts: Schema.Array(Schema.String),
    times: Schema.optionalWith(Schema.Number, { default: () => 2 })
  })
}).pipe(
  Workflow.step("each", { skill: "work", forEach: "{{ params.texts }}" }),
  Workflow.step("total", {
    skill: "work",
    after: ["each"],
    input: { all: "{{ steps.each.output }}", times: "{{ params.times }}" }
  })
)

const dataDefinition: Workflow.Definition = {
  name: "data",
  params: {
    type: "object",
    required: ["name"],
    properties: {
      name: { type: "string" },
      size: { type: "integer", default: 3 },
      nested: { type: "object", default: {}, properties: { flag: { default: true } } }
    }
  },
  steps: [Workflow.stepDefinition("only", { skill: "work" })]
}

/** What every control plane promises about registering runs and showing them. */
export const ControlPlaneLaws: ReadonlyArray<Law<Plane>> = [
  law("executes a registered run and gives its result", ({ log, plane, work }) =>
    Effect.gen(function* () {
      yield* work.open
      const run = yield* plane.registerRun({ workflow: double, params: { texts: ["a", "b"] } })
      const entries = yield* collect(run.events)
      yield* wellFormed(entries)
      const result = yield* run.result
      yield* equal("it is completed", [result.status, yield* run.status], ["Completed", "Completed"])
      yield* equal("outputs by step, defaults filled in", result.outputs, {
        each: ["a", "b"],
        total: { all: ["a", "b"], times: 2 }
      })
      yield* equal("the summary", result.summary.items, { succeeded: 3, failed: 0 })
      yield* equal("the log has the same", yield* collect(log.read({ runs: [run.runId] })), entries)
      yield* equal("again", yield* collect(run.events), entries)
    })
  ),

  law("refuses what cannot be run, and records nothing", ({ log, plane, work }) =>
    Effect.gen(function* () {
      const register = plane.registerRun
      const bad = { name: "bad", steps: [{ skill: 1 }] } as unknown as Workflow.Definition
      yield* fails("a shape", "InvalidWorkflow", register({ workflow: bad }))
      yield* fails(
        "no object",
        "InvalidWorkflow",
        register({ workflow: { name: "none" } as Workflow.Definition })
      )
      const cyclic: Record<string, unknown> = { name: "cyclic" }
      cyclic.steps = [cyclic]
      yield* fails("a cyclic value", "InvalidWorkflow", register({ workflow: cyclic as never }))
      yield* fails("no step", "InvalidWorkflow", register({ workflow: { name: "empty", steps: [] } }))
      for (const concurrency of [0, -1, 1.5, Number.NaN]) {
        const invalid = register({ workflow: items(1), concurrency })
        yield* fails(`concurrency ${concurrency}`, "InvalidWorkflow", invalid)
      }
      for (const id of ["", "../x", "a/b", "a".repeat(129)]) {
        yield* fails(`id ${id}`, "InvalidId", register({ workflow: items(1), id }))
      }
      const wrong = register({ workflow: double, params: { texts: [1] } as never })
      const error = yield* fails("params by Schema", "InvalidParams", wrong)
      yield* holds("it says where", error.problems.join().includes("texts"), error.problems)
      yield* fails("missing params", "InvalidParams", register({ workflow: double } as never))
      yield* fails("params by JSON Schema", "InvalidParams", register({ workflow: dataDefinition }))
      const unusable = { ...dataDefinition, params: { $ref: "#/nowhere" } }
      yield* fails("a JSON Schema that is none", "InvalidParams", register({ workflow: unusable }))
      const lost = register({ workflow: items(1), params: { at: new Map() } })
      yield* fails("params that JSON cannot carry", "InvalidParams", lost)
      const entries = yield* collect(log.read({}))
      yield* equal("nothing is recorded of runs", tags(entries.filter(({ runId }) => runId !== logId)), [])
      yield* equal("nothing was done", work.calls.length, 0)
    })
  ),

  law("fills in the defaults of a JSON Schema", ({ plane, work }) =>
    Effect.gen(function* () {
      yield* work.open
      const run = yield* plane.registerRun({ workflow: dataDefinition, params: { name: "n" } })
      const { outputs } = yield* run.result
      yield* equal("nested ones too", outputs.only, { name: "n", size: 3, nested: { flag: true } })
    })
  ),

  law("gives the run that there is for the same id and content, and refuses other content", (bench) =>
    Effect.gen(function* () {
      const { log, plane, work } = bench
      yield* work.open
      const request = { workflow: items(2), id: "named", params: { a: 1, b: [2] } }
      const all = yield* Effect.all(
        Array.from({ length: 10 }, () => plane.registerRun(request)),
        {
          concurrency: "unbounded"
        }
      )
      for (const run of all) yield* equal("each sees it through", (yield* run.result).status, "Completed")
      const { definition } = items(2)
      const reordered = Object.fromEntries(Object.entries(definition).reverse()) as Workflow.Definition
      const again = yield* plane.registerRun({
        workflow: reordered,
        id: "named",
        params: { b: [2], a: 1 }
      })
      yield* equal("also after its end", (yield* again.result).status, "Completed")
      const entries = yield* collect(again.events)
      yield* wellFormed(entries)
      yield* equal("it was executed once", work.calls.length, 2)
      const head = yield* log.head
      yield* fails("other params", "RunExists", plane.registerRun({ ...request, params: { a: 2 } }))
      yield* fails("other workflow", "RunExists", plane.registerRun({ ...request, workflow: items(3) }))
      yield* equal("nothing was recorded", yield* log.head, head)
    })
  ),

  law("keeps a copy of what a run was registered with", ({ plane, work }) =>
    Effect.gen(function* () {
      const definition = { name: "mine", steps: [Workflow.stepDefinition("a", { skill: "work" })] }
      const params = { list: [1] }
      const run = yield* plane.registerRun({ workflow: definition, params })
      params.list.push(2)
      definition.steps.push(Workflow.stepDefinition("b", { skill: "work" }))
      const later = yield* plane.registerRun({ workflow: definition, params })
      yield* work.open
      yield* equal("the first has what was", (yield* run.result).outputs, { a: { list: [1] } })
      const changed = { a: { list: [1, 2] }, b: { list: [1, 2] } }
      yield* equal("the second what is", (yield* later.result).outputs, changed)
      const [first] = yield* collect(run.events)
      yield* holds("so does the log", !JSON.stringify(first).includes('"b"'), first)
    })
  ),

  law("shows a run to subscribers from any position, and ends", ({ plane, work }) =>
    Effect.gen(function* () {
      const run = yield* plane.registerRun({ workflow: items(5) })
      yield* work.reached(5)
      const early = yield* Effect.forEach([0, 2, 4], (after) =>
        Effect.map(fork(collect(plane.subscribe(run.runId, after as Seq))), (fiber) => ({ after, fiber }))
      )
      const future = yield* fork(collect(plane.subscribe(run.runId, 10_000 as Seq)))
      yield* work.open
      const all = yield* collect(run.events)
      yield* wellFormed(all)
      for (const { after, fiber } of early) {
        const seen = yield* fiber
        yield* equal(
          `after ${after}`,
          seen,
          all.filter(({ seq }) => seq > after)
        )
      }
      yield* equal("from beyond the end", yield* future, [])
      const last = all.at(-1)?.seq ?? (0 as Seq)
      // Right after the end, while the run may still be winding up, and later.
      for (let i = 0; i < 5; i++) {
        yield* equal("at the end", yield* collect(plane.subscribe(run.runId, last)), [])
        const middle = all[4]?.seq
        yield* equal("the rest", yield* collect(plane.subscribe(run.runId, middle)), all.slice(5))
      }
      yield* fails("an unknown run", "RunNotFound", collect(plane.subscribe("unknown")))
      yield* fails("what is no id", "RunNotFound", collect(plane.subscribe("../x")))
    })
  ),

  law("keeps runs apart, a hundred at once", ({ plane, work }) =>
    Effect.gen(function* () {
      const runs = yield* Effect.forEach(
        Array.from({ length: 100 }, (_, i) => i),
        (n) => plane.registerRun({ workflow: double, params: { texts: [`${n}`], times: n } }),
        { concurrency: "unbounded" }
      )
      yield* work.open
      for (const [n, run] of runs.entries()) {
        const expected = { each: [`${n}`], total: { all: [`${n}`], times: n } }
        yield* equal("the outputs are its own", (yield* run.result).outputs, expected)
        yield* wellFormed(yield* collect(run.events))
      }
      yield* equal("nothing is left", work.running(), 0)
    })
  ),

  law("routes a step to the agent that would do it", ({ plane, work }) =>
    Effect.gen(function* () {
      const run = yield* plane.registerRun({ workflow: items(1) })
      yield* equal("by skill", yield* plane.routeToAgent({ skill: "work" }, run.runId), work.agent.id)
      yield* fails("no agent", "NoCapableAgent", plane.routeToAgent({ skill: "none" }, run.runId))
      const named = { agent: "nobody" as typeof work.agent.id }
      yield* fails("no such agent", "AgentNotFound", plane.routeToAgent(named, run.runId))
      yield* fails("no such run", "RunNotFound", plane.routeToAgent({ skill: "work" }, "unknown"))
      yield* work.open
      yield* run.result
      yield* eventually("the run is gone from what is under way", () => work.running() === 0)
    })
  )
]
