import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import type { Json } from "../Json.js"
import type { Definition, StepDefinition, WaitDefinition } from "../WorkflowDefinition.js"
import type { Work } from "./planStep.js"

/** What a step does, or that there is none of that name. */
export type Kind = Work["_tag"] | "Missing"

/** A step as it is drawn. */
export interface DrawnStep {
  readonly id: string
  readonly kind: Kind
  /** What is said of it below its id, each text on one line. */
  readonly lines: ReadonlyArray<string>
  readonly isForEach: boolean
}

/** An edge from a step to one that waits for it, or that undoes what it does. */
export interface DrawnEdge {
  readonly from: string
  readonly to: string
  /** Whether the step that waits may be skipped by a condition. */
  readonly isConditional: boolean
  readonly isCompensation: boolean
}

/** How many characters a line may have before its rest is left out. */
const longestLine = 60

/** How many characters an id may have; a valid one is shown as it is. */
const longestId = 128

/** One line of at most `most` characters: spaces are joined, what cannot be shown or would turn the text around is replaced. */
const oneLine = (text: string, most = longestLine): string => {
  const start = text.slice(0, most * 8)
  const clean = start
    .replace(/\s+/gu, " ")
    .trim()
    .replace(/[\p{Cc}\p{Cs}\u202A-\u202E\u2066-\u2069\uFFFE\uFFFF]/gu, "\uFFFD")
  const characters = [...clean]
  return characters.length <= most && start.length === text.length
    ? clean
    : `${characters.slice(0, most - 1).join("")}…`
}

const counted = (list: string | ReadonlyArray<Json>): string =>
  typeof list === "string" ? list : list.length === 1 ? "1 element" : `${list.length} elements`

const timeText = (until: number): string =>
  Option.match(DateTime.make(until), { onNone: () => String(until), onSome: DateTime.formatIso })

const waitText = (wait: WaitDefinition): string => {
  if ("signal" in wait) return `wait for the signal ${wait.signal}`
  if ("millis" in wait) {
    const { millis } = wait
    return `wait ${typeof millis === "number" ? Duration.format(Duration.millis(millis)) : millis}`
  }
  return `wait until ${typeof wait.until === "number" ? timeText(wait.until) : wait.until}`
}

type Said = (step: StepDefinition) => string | undefined

/** What each kind of work is called in a picture, where a step is of that kind. */
const works: { readonly [Tag in Exclude<Work["_tag"], "Agent">]: Said } = {
  Subworkflow: ({ subworkflow }) => subworkflow && `workflow ${subworkflow.name}`,
  Map: ({ map }) => map && `map ${counted(map.over)}`,
  Reduce: ({ reduce }) => reduce && `reduce ${counted(reduce.over)}`,
  Approval: ({ approval }) =>
    approval &&
    ["approval", approval.approvers?.join(", ")].filter((each) => each !== undefined).join(" by "),
  Wait: ({ wait }) => wait && waitText(wait)
}
const kinds = Object.entries(works) as ReadonlyArray<[keyof typeof works, Said]>

const workOf = (step: StepDefinition): { readonly kind: Kind; readonly text: string } => {
  for (const [kind, said] of kinds) {
    const text = said(step)
    if (text !== undefined) return { kind, text }
  }
  const text = step.agent === undefined ? `skill ${step.skill ?? "unknown"}` : `agent ${step.agent}`
  return { kind: "Agent", text }
}

const drawStep = (step: StepDefinition): DrawnStep => {
  const { after, compensates, forEach, join, when } = step
  const { kind, text } = workOf(step)
  return {
    id: oneLine(step.id, longestId),
    kind,
    lines: [
      text,
      ...(compensates === undefined ? [] : [`undoes ${compensates}`]),
      ...(forEach === undefined ? [] : [`for each of ${counted(forEach)}`]),
      ...(when === undefined ? [] : [`when ${when}`]),
      ...(join === undefined || join === "allSucceeded" || after === undefined ? [] : [`join ${join}`])
    ].map((line) => oneLine(line)),
    isForEach: forEach !== undefined
  }
}

/** A workflow as it is drawn. */
export interface Drawing {
  readonly name: string
  /** In the order of the definition, then what steps wait for and is not there. */
  readonly steps: ReadonlyArray<DrawnStep>
  /** By the step that waits, in the order of its `after`, or to the step that undoes another one. */
  readonly edges: ReadonlyArray<DrawnEdge>
}

const missing = (id: string): DrawnStep => ({
  id,
  kind: "Missing",
  lines: ["there is no such step"],
  isForEach: false
})

/** What there is to draw of a definition, which need not be valid. */
export const draw = ({ name, steps }: Definition): Drawing => {
  const drawn = steps.map(drawStep)
  const known = new Set(drawn.map(({ id }) => id))
  const edges = steps.flatMap(({ after = [], compensates, id, when }) => {
    const to = oneLine(id, longestId)
    const isConditional = when !== undefined
    return [
      ...after.map((from) => ({ from: oneLine(from, longestId), to, isConditional, isCompensation: false })),
      ...(compensates === undefined
        ? []
        : [{ from: oneLine(compensates, longestId), to, isConditional, isCompensation: true }])
    ]
  })
  const unknown = new Set(edges.map(({ from }) => from).filter((id) => !known.has(id)))
  return { name: oneLine(name), steps: [...drawn, ...[...unknown].map(missing)], edges }
}
