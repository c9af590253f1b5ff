import * as Effect from "effect/Effect"
import { AgentRegistry } from "../AgentRegistry.js"
import type { RunHandle } from "../ControlPlane.js"
import type { RunResult } from "../RunResult.js"
import * as Workflow from "../Workflow.js"
import { collect, wellFormed } from "./ControlPlaneLaws.js"
import * as GatedAgent from "./GatedAgent.js"
import { eventually } from "./Law.js"

/** Three steps one after the other, the first two with what undoes them. */
export const trip = Workflow.make("trip").pipe(
  Workflow.step("flight", { skill: "work", input: "F1" }),
  Workflow.step("hotel", { skill: "work", after: ["flight"], input: "H1" }),
  Workflow.step("pay", { skill: "work", after: ["hotel"], input: 1 }),
  Workflow.step("unflight", {
    skill: "work",
    compensates: "flight",
    input: { cancel: "{{ steps.flight.output }}" }
  }),
  Workflow.step("unhotel", {
    skill: "work",
    compensates: "hotel",
    input: { cancel: "{{ steps.hotel.output }}", of: "{{ steps.flight.output }}" }
  })
)

/** The steps that an agent was asked for, in order. */
export const asked = (work: GatedAgent.GatedAgent): ReadonlyArray<string> =>
  work.calls.map(({ task }) => String(task.stepId))

/** How the steps of a run ended, by their ids. */
export const statusesOf = ({ steps }: RunResult) =>
  Object.fromEntries(steps.map(({ status, stepId }) => [stepId, status]))

/** Why steps were skipped, in the order of the definition. */
export const reasonsOf = ({ steps }: RunResult) =>
  steps.flatMap(({ reason }) => (reason === undefined ? [] : [reason]))

/** Waits until an agent is asked for these steps, and for nothing else. */
export const underWay = (work: GatedAgent.GatedAgent, ...stepIds: ReadonlyArray<string>) =>
  eventually(`${stepIds.join(", ")} is under way`, () => {
    const running = work.calls.flatMap(({ state, task }) =>
      state === "running" ? [String(task.stepId)] : []
    )
    return running.join() === stepIds.join()
  })

/** A gated agent that is registered, with one skill named like itself. */
export const gated = (id: string) =>
  Effect.gen(function* () {
    const agent = GatedAgent.make(id)
    yield* Effect.flatMap(AgentRegistry, (registry) => registry.register(agent.agent))
    return agent
  })

/** Lets the steps of the trip be done up to this one, which is under way then. */
export const upTo = (work: GatedAgent.GatedAgent, last: string) =>
  Effect.gen(function* () {
    for (const stepId of ["flight", "hotel", "pay"]) {
      yield* underWay(work, stepId)
      if (stepId === last) return
      yield* work.release()
    }
  })

/** The result of a run, whose history is as it must be. */
export const ended = (run: RunHandle) =>
  Effect.gen(function* () {
    const result = yield* run.result
    yield* wellFormed(yield* collect(run.events))
    return result
  })
