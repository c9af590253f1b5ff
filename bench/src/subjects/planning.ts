import * as Plan from "@switchyard/core/Plan"
import * as Workflow from "@switchyard/core/Workflow"
import * as WorkflowDiagram from "@switchyard/core/WorkflowDiagram"
import * as WorkflowEdit from "@switchyard/core/WorkflowEdit"
import * as Effect from "effect/Effect"
import { graphOf, type Shape } from "../Graphs.js"
import { type SubjectModule, verify } from "../Subject.js"

/** What can be done with a definition; each gives something that shows whether it was done. */
const uses: Readonly<Record<string, (definition: Workflow.Definition) => number>> = {
  plan: (definition) => Effect.runSync(Plan.make(definition)).order.length,
  mermaid: (definition) => Math.min(definition.steps.length, WorkflowDiagram.toMermaid(definition).length),
  dot: (definition) => Math.min(definition.steps.length, WorkflowDiagram.toDot(definition).length),
  edit: (definition) => {
    const at = `s${definition.steps.length >> 1}`
    const step = Workflow.stepDefinition("x", { skill: "work" })
    return Effect.runSync(
      Effect.flatMap(WorkflowEdit.insertAfter(definition, at, step), (edited) =>
        WorkflowEdit.remove(edited, at)
      )
    ).steps.length
  }
}

/** Plans, draws or edits a workflow, which is a new value each time. */
export const open: SubjectModule["open"] = () =>
  Promise.resolve({
    run: async ({ expressions, shape, steps, use = "plan" }) => {
      const size = Number(steps)
      const definition = graphOf(String(shape) as Shape, size, expressions === true)
      const cpu = process.cpuUsage()
      const before = performance.now()
      const found = uses[String(use)]?.(definition)
      const millis = performance.now() - before
      const { system, user } = process.cpuUsage(cpu)
      verify("steps", found, size)
      return {
        millis,
        operations: size,
        figures: { "ms each": millis, "cpu ms each": (system + user) / 1000 }
      }
    },
    close: () => Promise.resolve()
  })
