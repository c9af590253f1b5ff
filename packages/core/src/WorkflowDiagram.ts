import { type DrawnStep, draw, type Kind } from "./internal/drawing.js"
import type { StepStatus } from "./StepState.js"
import type { Definition } from "./WorkflowDefinition.js"

/** What can be drawn: a definition, or what carries one, such as a workflow value, a plan or a run. */
export type Drawable = Definition | { readonly definition: Definition }

/** How a workflow is drawn. */
export interface DiagramOptions {
  /** Where the steps stand: a run, or statuses by the ids of steps. What is not in it is drawn without a status. */
  readonly state?:
    | { readonly steps: ReadonlyMap<string, { readonly status: StepStatus }> }
    | ReadonlyMap<string, StepStatus>
  /** Which way dependencies lead to their dependents; `down` by default. */
  readonly direction?: "down" | "right"
}

/** How a status looks; the word stands beside the sign, so that nobody has to tell colours apart. */
interface Look {
  readonly sign: string
  readonly fill: string
  readonly line: string
  readonly isDashed: boolean
}

const looks: Readonly<Record<StepStatus, Look>> = {
  Pending: { sign: "○", fill: "#f4f4f5", line: "#71717a", isDashed: false },
  Running: { sign: "▶", fill: "#dbeafe", line: "#1d4ed8", isDashed: false },
  Waiting: { sign: "◷", fill: "#fef3c7", line: "#b45309", isDashed: false },
  Succeeded: { sign: "✓", fill: "#dcfce7", line: "#15803d", isDashed: false },
  Failed: { sign: "✗", fill: "#fee2e2", line: "#b91c1c", isDashed: false },
  Skipped: { sign: "↷", fill: "#fafafa", line: "#71717a", isDashed: true },
  Cancelled: { sign: "■", fill: "#e4e4e7", line: "#3f3f46", isDashed: true }
}

const textColour = "#18181b"

interface Shape {
  /** What stands around the text in Mermaid. */
  readonly mermaid: readonly [string, string]
  readonly dot: string
}

const shapes: Readonly<Record<Kind, Shape>> = {
  Agent: { mermaid: ["[", "]"], dot: "box" },
  Subworkflow: { mermaid: ["[[", "]]"], dot: "component" },
  Map: { mermaid: ["[/", "/]"], dot: "parallelogram" },
  Reduce: { mermaid: ["[\\", "/]"], dot: "invtrapezium" },
  Approval: { mermaid: ["{{", "}}"], dot: "hexagon" },
  Wait: { mermaid: ["([", "])"], dot: "ellipse" },
  Missing: { mermaid: [">", "]"], dot: "octagon" }
}

const definitionOf = (drawable: Drawable): Definition =>
  "definition" in drawable ? drawable.definition : drawable

const statusIn = (state: DiagramOptions["state"]): ((id: string) => StepStatus | undefined) => {
  if (state === undefined) return () => undefined
  return "steps" in state ? (id) => state.steps.get(id)?.status : (id) => state.get(id)
}

const linesOf = ({ id, lines }: DrawnStep, status: StepStatus | undefined): ReadonlyArray<string> =>
  status === undefined ? [id, ...lines] : [id, `${looks[status].sign} ${status}`, ...lines]

/** The statuses that steps have, in a fixed order, each with these steps. */
const byStatus = (steps: ReadonlyArray<DrawnStep>, statusOf: (id: string) => StepStatus | undefined) =>
  (Object.keys(looks) as ReadonlyArray<StepStatus>)
    .map((status) => ({ status, ids: steps.filter(({ id }) => statusOf(id) === status).map(({ id }) => id) }))
    .filter(({ ids }) => ids.length > 0)

/**
 * A text of a Mermaid label. Labels are Markdown in HTML with codes of characters in it, so every sign that means something
 * in one of the three becomes a code, unless it stands between letters, where it means nothing. `ﬂ` and `¶` are what Mermaid
 * replaces codes by meanwhile.
 */
const mermaidText = (text: string): string =>
  text.replace(
    /((?<=\p{L})(?<!www)[._-](?=\p{L}))|[!-+\--/:-@[-`{-~ﬂ¶]/giu,
    (sign, kept?: string) => kept ?? `#${sign.codePointAt(0)};`
  )

/** An id that is no word of Mermaid's, whatever the step is called, and the same one only for the same step. */
const mermaidId = (id: string): string =>
  `s_${id.replace(/[^A-Za-z0-9]/gu, (sign) => `_${sign.codePointAt(0)?.toString(16)}_`)}`

/**
 * The workflow as a Mermaid flowchart (https://mermaid.js.org), which GitHub and many editors show. There is one node for each
 * step, with its id, its status where `state` has one, what it does, its `forEach`, `when` and `join`; long texts are cut off.
 * The shape says what kind of work it is, a dotted arrow leads to a step with a condition, and a line with a circle to one that
 * undoes what the other does. Nodes keep their ids when other steps come and go. The same workflow always gives the same text, and no text in a workflow can break it.
 *
 * A workflow that is not valid is drawn, too: what a step waits for and is not there becomes a node that says so. Mermaid
 * itself refuses to show more than 500 arrows unless it is told otherwise; `toDot` is for larger ones.
 *
 * @example
 * ```ts
 * import * as Workflow from "@switchyard/core/Workflow"
 * import * as WorkflowDiagram from "@switchyard/core/WorkflowDiagram"
 *
 * const review = Workflow.make("review").pipe(
 *   Workflow.step("plan", { skill: "planning" }),
 *   Workflow.step("code", { skill: "coding", after: ["plan"] })
 * )
 *
 * export const picture = WorkflowDiagram.toMermaid(review)
 * ```
 */
export const toMermaid = (drawable: Drawable, options: DiagramOptions = {}): string => {
  const { edges, steps } = draw(definitionOf(drawable))
  const statusOf = statusIn(options.state)
  const statuses = byStatus(steps, statusOf)
  return [
    `flowchart ${options.direction === "right" ? "LR" : "TB"}`,
    ...steps.map((step) => {
      const [open, close] = shapes[step.kind].mermaid
      const text = linesOf(step, statusOf(step.id)).map(mermaidText).join("<br/>")
      return `  ${mermaidId(step.id)}${open}"${text}"${close}`
    }),
    ...edges.map(
      ({ from, isCompensation, isConditional, to }) =>
        `  ${mermaidId(from)} ${isCompensation ? "--o" : isConditional ? "-.->" : "-->"} ${mermaidId(to)}`
    ),
    ...statuses.map(({ status }) => {
      const { fill, isDashed, line } = looks[status]
      const dashes = isDashed ? ",stroke-dasharray:4 3" : ""
      return `  classDef ${status.toLowerCase()} fill:${fill},stroke:${line},color:${textColour}${dashes}`
    }),
    ...statuses.map(({ ids, status }) => `  class ${ids.map(mermaidId).join(",")} ${status.toLowerCase()}`),
    ""
  ].join("\n")
}

/** A name of a node or a graph. */
const dotName = (text: string): string => `"${text.replace(/["\\]/g, "\\$&")}"`

/** A label; Graphviz replaces codes of characters in it. */
const dotLabel = (lines: ReadonlyArray<string>): string =>
  `"${lines.map((line) => line.replace(/["\\]/g, "\\$&").replace(/&/g, "&amp;")).join("\\n")}"`

/**
 * The workflow in the DOT language of Graphviz (https://graphviz.org), with the same content as `toMermaid`: a node is named as
 * its step is, has two outlines where it is done for each element of a list, and the `class` of its status; a dashed arrow leads to
 * a step with a condition, and a dotted line with a circle to one that undoes what the other does. Takes time linear in steps and dependencies.
 */
export const toDot = (drawable: Drawable, options: DiagramOptions = {}): string => {
  const { edges, name, steps } = draw(definitionOf(drawable))
  const statusOf = statusIn(options.state)
  const styleOf = (status: StepStatus | undefined): ReadonlyArray<string> => {
    if (status === undefined) return []
    const { fill, isDashed, line } = looks[status]
    const style = isDashed ? `style="filled,dashed"` : "style=filled"
    return [style, `fillcolor="${fill}"`, `color="${line}"`, `class=${status.toLowerCase()}`]
  }
  return [
    `digraph ${dotName(name)} {`,
    `  rankdir=${options.direction === "right" ? "LR" : "TB"}`,
    `  node [fontname="Helvetica,Arial,sans-serif", fontcolor="${textColour}"]`,
    ...steps.map((step) => {
      const status = statusOf(step.id)
      const attributes = [
        `label=${dotLabel(linesOf(step, status))}`,
        `shape=${shapes[step.kind].dot}`,
        ...(step.isForEach ? ["peripheries=2"] : []),
        ...styleOf(status)
      ]
      return `  ${dotName(step.id)} [${attributes.join(", ")}]`
    }),
    ...edges.map(
      ({ from, isCompensation, isConditional, to }) =>
        `  ${dotName(from)} -> ${dotName(to)}${isCompensation ? " [style=dotted, arrowhead=odot]" : isConditional ? " [style=dashed]" : ""}`
    ),
    "}",
    ""
  ].join("\n")
}
