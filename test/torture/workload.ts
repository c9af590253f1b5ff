import * as Agent from "@switchyard/core/Agent"
import type { ControlCommand } from "@switchyard/core/Command"
import type { StepId } from "@switchyard/core/Ids"
import type { Json } from "@switchyard/core/Json"
import * as Workflow from "@switchyard/core/Workflow"
import * as ProcessAgent from "@switchyard/node/ProcessAgent"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { type Chance, chanceOf } from "./chance.js"

/** What a run of each kind is made of, and how it ends unless it is cancelled. */
const workflows = {
  chain: {
    status: "Completed",
    workflow: Workflow.make("chain").pipe(
      Workflow.step("a", { skill: "work" }),
      Workflow.step("b", { skill: "work", after: ["a"] }),
      Workflow.step("c", { skill: "work", after: ["b"] }),
      Workflow.step("d", { skill: "work", after: ["c"] }),
      Workflow.step("e", { skill: "work", after: ["d"] })
    )
  },
  fanOut: {
    status: "Completed",
    workflow: Workflow.make("fan-out").pipe(
      Workflow.step("split", { skill: "work" }),
      Workflow.step("each", {
        skill: "work",
        after: ["split"],
        forEach: "{{ params.list }}",
        concurrency: 4
      }),
      Workflow.step("join", { skill: "work", after: ["each"], input: "{{ steps.each.output }}" })
    )
  },
  retries: {
    status: "Completed",
    workflow: Workflow.make("retries").pipe(
      Workflow.step("flaky", {
        agent: "flaky",
        forEach: "{{ params.list }}",
        retry: { attempts: 5, initial: "1 millis", cap: "5 millis" }
      }),
      Workflow.step("some", {
        agent: "picky",
        after: ["flaky"],
        forEach: "{{ params.list }}",
        onItemFailure: "continue"
      })
    )
  },
  failing: {
    status: "Failed",
    workflow: Workflow.make("failing", { onStepFailure: "drain" }).pipe(
      Workflow.step("first", { skill: "work" }),
      Workflow.step("bad", { agent: "broken", after: ["first"] }),
      Workflow.step("beside", { skill: "work", after: ["first"], forEach: "{{ params.list }}" }),
      Workflow.step("never", { skill: "work", after: ["bad"] })
    )
  },
  waiting: {
    status: "Completed",
    workflow: Workflow.make("waiting").pipe(
      Workflow.step("list", {
        map: { over: "{{ params.list }}", where: "item < 9", value: "{{ item * 2 }}" }
      }),
      Workflow.step("nap", { after: ["list"], wait: { millis: 30 } }),
      Workflow.step("decided", {
        after: ["list"],
        approval: { message: "{{ size(steps.list.output) }} of them" }
      }),
      Workflow.step("lapsed", { after: ["list"], approval: { expiresMillis: 40, default: "approve" } }),
      Workflow.step("told", { after: ["list"], wait: { signal: "told" } }),
      Workflow.step("each", {
        skill: "work",
        after: ["decided", "told"],
        forEach: "{{ steps.list.output + steps.told.output }}"
      }),
      Workflow.step("sum", {
        after: ["nap", "lapsed", "each"],
        reduce: { over: "{{ steps.list.output }}", initial: 0, value: "{{ acc + item }}" }
      })
    )
  },
  rejected: {
    status: "Failed",
    workflow: Workflow.make("rejected", { onStepFailure: "drain" }).pipe(
      Workflow.step("first", { skill: "work" }),
      Workflow.step("decided", { after: ["first"], approval: { approvers: ["parent"] } }),
      Workflow.step("beside", { after: ["first"], wait: { signal: "told" } }),
      Workflow.step("never", { skill: "work", after: ["decided"] })
    )
  },
  programs: {
    status: "Completed",
    workflow: Workflow.make("programs").pipe(
      Workflow.step("echo", { agent: "echo", forEach: "{{ params.list }}", concurrency: 2 }),
      Workflow.step("stubborn", { agent: "stubborn", after: ["echo"] })
    )
  }
} as const

/** The kinds of runs. */
export type Kind = keyof typeof workflows

/** A run that the parent asks for; asked for again it is the same. */
export interface RunRequest {
  readonly id: string
  readonly kind: Kind
  readonly list: ReadonlyArray<number>
  readonly concurrency: number
}

/** A run of some kind and size. */
export const runRequest = (id: string, chance: Chance): RunRequest => {
  const kind = chance.weighted<Kind>([
    [30, "chain"],
    [30, "fanOut"],
    [18, "retries"],
    [10, "failing"],
    [26, "waiting"],
    [10, "rejected"],
    [8, "programs"]
  ])
  const length = kind === "fanOut" ? chance.between(0, 20) : chance.between(1, 3)
  return { id, kind, list: Array.from({ length }, (_, i) => i), concurrency: chance.between(1, 8) }
}

/** A request as the control plane takes it. */
export const registration = ({ concurrency, id, kind, list }: RunRequest) => ({
  id,
  workflow: workflows[kind].workflow.definition,
  params: { list },
  concurrency
})

/** What is sent with the signal that steps wait for. */
const told = [7]

/** Whether a step is done by an agent, item by item. */
const hasItems = ({ agent, skill }: Workflow.Definition["steps"][number]): boolean =>
  agent !== undefined || skill !== undefined

/** How many items each step of a run that completes has, among those that have items. */
export const itemsOf = ({ kind, list }: RunRequest): Readonly<Record<string, number>> =>
  Object.fromEntries(
    workflows[kind].workflow.definition.steps
      .filter(hasItems)
      .map(({ forEach, id }) => [
        id,
        forEach === undefined ? 1 : list.length + (kind === "waiting" ? told.length : 0)
      ])
  )

/** What each step that has no items gives in a run that completes, as far as nobody but the workload has a say in it. */
export const outputsOf = ({ kind, list }: RunRequest): Readonly<Record<string, Json>> => {
  if (kind !== "waiting") return {}
  const doubled = list.map((each) => each * 2)
  return {
    list: doubled,
    nap: null,
    decided: { decision: "approve", by: "parent", comment: null },
    lapsed: { decision: "approve", by: null, comment: "nobody decided within 40 ms" },
    told,
    sum: doubled.reduce((sum, each) => sum + each, 0)
  }
}

/** What is to be said to a step that waits, or `undefined` where its time alone ends its waiting. */
export const answerOf = (kind: Kind, stepId: string): ControlCommand | undefined => {
  if (kind !== "waiting" && kind !== "rejected") return undefined
  if (stepId === "decided") {
    const decision = kind === "rejected" ? "reject" : "approve"
    return { _tag: "Decide", stepId: stepId as StepId, decision, by: "parent" }
  }
  return stepId === "told" || stepId === "beside"
    ? { _tag: "Signal", name: "told", payload: told }
    : undefined
}

/** How a run of this kind ends when nobody cancels it. */
export const statusOf = (kind: Kind): string => workflows[kind].status

/** What is kept of the workspaces of the runs, by how they end. */
export const retention = { completed: "remove", failed: "keep", cancelled: "remove" } as const

/** A number that an attempt always has, so that what it does is no new choice. */
const numberOf = (key: string): number => {
  let hash = 0
  for (const character of key) hash = (Math.imul(hash, 31) + (character.codePointAt(0) ?? 0)) | 0
  return hash >>> 0
}

/** Some milliseconds of work with signs of life, or none at all. */
const work = (task: Agent.Task): Stream.Stream<Agent.AgentEvent, Agent.AgentError> => {
  const chance = chanceOf(numberOf(task.idempotencyKey))
  const result: Json = { step: task.stepId, index: task.index, text: "x".repeat(chance.between(0, 300)) }
  const done = Stream.make(Agent.output(result))
  const shape = chance.between(0, 9)
  if (shape < 3) return done
  const millis = chance.between(0, 20)
  if (shape < 7) return Stream.concat(Stream.execute(Effect.sleep(millis)), done)
  const signs = Array.from({ length: 4 }, (_, i) => Agent.progress({ progress: i / 4, message: `part ${i}` }))
  return Stream.concat(
    Stream.mapEffect(Stream.fromIterable(signs), (sign) => Effect.as(Effect.sleep(millis / 4), sign)),
    done
  )
}

/** A shell that leaves a child behind, both of which ignore every signal that can be ignored. */
const stubborn = `trap "" TERM INT HUP; (trap "" TERM INT HUP; sleep 60; sleep 60) & sleep 0.0$1; echo done`

/** The agents of a host; `called` is told of every call, and `marker` is in the environment of every program. */
export const agentsOf = (marker: string, called: (item: string) => void) => {
  const announced =
    <Running>(run: (task: Agent.Task) => Running) =>
    (task: Agent.Task): Running => {
      called(`${task.runId}/${task.stepId}/${task.index}`)
      return run(task)
    }
  const program = (id: string, args: ReadonlyArray<string>) =>
    Effect.map(
      ProcessAgent.make(id, {
        capabilities: [{ skill: id }],
        command: "/bin/sh",
        args: ["-c", ...args],
        env: { set: { SWITCHYARD_TORTURE: marker } },
        escalation: { terminate: "10 millis", kill: "10 millis" }
      }),
      (agent): Agent.Agent => ({ ...agent, run: announced(agent.run) })
    )
  const agent = (id: string, skill: string, run: Agent.Options["run"]) =>
    Agent.make(id, { capabilities: [{ skill }], run: announced(run) })
  return [
    agent("worker", "work", work),
    agent("flaky", "flaky", (task) =>
      task.attempt <= task.index
        ? Effect.fail(new Agent.AgentError({ kind: "Unavailable", reason: "not yet" }))
        : Effect.succeed(task.index)
    ),
    agent("picky", "picky", (task) => (task.index === 0 ? Effect.succeed(0) : Agent.fail("not this one"))),
    agent("broken", "broken", () => Agent.fail("it never works")),
    program("echo", ["cat; echo $0", marker]),
    program("stubborn", [stubborn, marker, "{{attempt}}"])
  ]
}
