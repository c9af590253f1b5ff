import type * as Fiber from "effect/Fiber"
import type { Failure } from "../Event.js"
import type { Json } from "../Json.js"
import type { Plan, PlannedStep } from "../Plan.js"
import { isSettled, pendingStep, type Run, type StepState, stepOutput } from "../Run.js"
import type { Join } from "../WorkflowDefinition.js"
import type { ItemEnd } from "./attempts.js"
import type { Leaving } from "./childItems.js"
import { isCompensation } from "./compensationPlan.js"
import type { Computed } from "./compute.js"
import type { Ticket } from "./invocations.js"
import type { Timer } from "./timer.js"

/** A step while its run executes: what is recorded of it, and what the engine knows beyond that. */
export interface Lane {
  readonly step: PlannedStep
  readonly state: StepState
  /** Dependencies that are not durably settled yet; without end for what is only done to undo something. */
  waiting: number
  /** The items, once the step has been opened. */
  items: ReadonlyArray<Json> | undefined
  /** Positions of items to be started, the next one last. */
  todo: Array<number>
  /** What is under way, by the position of the item. */
  readonly fibers: Array<Fiber.RuntimeFiber<ItemEnd | Computed> | undefined>
  /** What the registry counts as load for them, by the position of the item. */
  readonly tickets: Array<Ticket | undefined>
  /** How many items are under way. */
  running: number
  /** Why what is under way is interrupted, where it is. */
  leaving: Leaving
  /** Ends of items that were left, and had ended first. */
  endedFirst: Map<number, ItemEnd> | undefined
  /** Whether the lane stands in the queue of those that have items to start. */
  queued: boolean
  failing: Failure | undefined
  /** What a step without an agent has come to. */
  computed: { readonly value: Json } | undefined
  /** Counts down the step's own time while the run is running. */
  timer: Timer | undefined
}

/** The lanes of a plan, as the recorded state of the run leaves them. */
export const makeLanes = (plan: Plan, run: Run): ReadonlyArray<Lane> => {
  const state = (step: PlannedStep): StepState => run.steps.get(step.definition.id) ?? pendingStep()
  const settled = (index: number) => {
    const step = plan.steps[index]
    return step !== undefined && isSettled(state(step).status)
  }
  return plan.steps.map(
    (step): Lane => ({
      step,
      state: state(step),
      waiting: isCompensation(step.definition)
        ? Number.POSITIVE_INFINITY
        : step.dependencies.filter((dependency) => !settled(dependency)).length,
      items: undefined,
      todo: [],
      fibers: [],
      tickets: [],
      running: 0,
      leaving: "stop",
      endedFirst: undefined,
      queued: false,
      failing: undefined,
      computed: undefined,
      timer: undefined
    })
  )
}

/** What a step does, in a word. */
export const stepTypeOf = ({ definition, work }: PlannedStep): string => {
  if (work._tag === "Agent") return definition.skill ?? `agent:${definition.agent}`
  return work._tag === "Subworkflow" ? `workflow:${work.workflow.name}` : work._tag.toLowerCase()
}

/** A first-in, first-out queue; looking at its head and dropping it cost a constant amount however long it is. */
const makeQueue = <A>() => {
  let items: Array<A> = []
  let head = 0
  return {
    offer: (item: A) => {
      items.push(item)
    },
    peek: (): A | undefined => items[head],
    drop: () => {
      head++
      if (head > 1024 && head * 2 > items.length) {
        items = items.slice(head)
        head = 0
      }
    }
  }
}

/** A queue whose head is the first that came of those with the highest priority; made for few priorities and many that wait. */
export const makePriorityQueue = <A>() => {
  const queues: Array<{ readonly priority: number; readonly queue: ReturnType<typeof makeQueue<A>> }> = []
  const head = () => queues.find(({ queue }) => queue.peek() !== undefined)?.queue
  return {
    offer: (item: A, priority: number) => {
      let at = queues.findIndex((each) => each.priority <= priority)
      if (at < 0) at = queues.length
      if (queues[at]?.priority !== priority) queues.splice(at, 0, { priority, queue: makeQueue<A>() })
      queues[at]?.queue.offer(item)
    },
    peek: (): A | undefined => head()?.peek(),
    drop: () => head()?.drop()
  }
}

/** Why a step whose dependencies are settled is skipped by its join rule, or `undefined` when it may start. */
export const skipReason = (
  join: Join,
  dependencies: ReadonlyArray<{
    readonly step: { readonly definition: { readonly id: string } }
    readonly state: StepState
  }>
): string | undefined => {
  if (join === "allSettled" || dependencies.length === 0) return undefined
  if (join === "anySucceeded") {
    return dependencies.some(({ state }) => state.status === "Succeeded")
      ? undefined
      : "no dependency succeeded"
  }
  const blocking = dependencies.find(({ state }) =>
    join === "allSucceeded"
      ? state.status !== "Succeeded"
      : state.status === "Failed" || state.status === "Cancelled"
  )
  if (blocking === undefined) return undefined
  return `dependency ${blocking.step.definition.id} ${blocking.state.status === "Skipped" ? "was skipped" : "failed"}`
}

/** What expressions see of the items of a step. */
export const itemViews = (state: StepState): ReadonlyArray<Json> =>
  state.reused?.items ??
  state.items.flatMap((item) =>
    item === undefined
      ? []
      : [
          {
            index: item.index,
            item: item.label,
            status: item.status,
            output: item.result,
            failure:
              item.failure === undefined ? null : { kind: item.failure.kind, message: item.failure.message }
          }
        ]
  )

/** What expressions see of one settled step. */
export const viewOf = (lane: Lane): Json => {
  const { state, step } = lane
  const isForEach = step.forEach !== undefined
  const failure =
    state.failure === undefined ? null : { kind: state.failure.kind, message: state.failure.message }
  return {
    status: state.status,
    output: stepOutput(state, isForEach),
    failure,
    ...(isForEach ? { items: itemViews(state) } : {})
  }
}
