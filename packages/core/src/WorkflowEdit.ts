import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { isCompensation } from "./internal/compensationPlan.js"
import { referring } from "./internal/planStep.js"
import { didYouMean } from "./Nearest.js"
import * as Plan from "./Plan.js"
import { type Definition, StepDefinition } from "./WorkflowDefinition.js"

const edits = {
  insertAfter: "inserted into",
  remove: "removed from",
  replaceAgentPolicy: "given to another agent in"
} as const

/**
 * An edit that cannot be made, with every reason. Paths that begin with `steps` lead into the definition that was to be
 * edited, all others name an argument of the edit.
 */
export class EditRefused extends Schema.TaggedError<EditRefused>()("EditRefused", {
  workflow: Schema.String,
  edit: Schema.Literal("insertAfter", "remove", "replaceAgentPolicy"),
  stepId: Schema.String,
  problems: Schema.Array(Plan.Problem)
}) {
  override get message() {
    const lines = this.problems.map(({ message, path }) => `  ${path}: ${message}`)
    const what = `The step "${this.stepId}" cannot be ${edits[this.edit]} the workflow "${this.workflow}":`
    return [what, ...lines].join("\n")
  }
}

/** Why an edit was not made: it has no meaning here, or what was given or would come out cannot be run. */
export type EditError = EditRefused | Plan.InvalidWorkflow

/** A step that is inserted: as any other, but what it waits for is said by where it is inserted. */
export type NewStep = Omit<StepDefinition, "after">

/** Who does a step, and how; what an agent takes and gives stays, because other steps rely on it. */
export const AgentPolicy = StepDefinition.pick(
  "skill",
  "agent",
  "constraints",
  "fallback",
  "select",
  "retry",
  "attemptTimeoutMillis",
  "stepTimeoutMillis"
)
export type AgentPolicy = typeof AgentPolicy.Type

const policyNames: ReadonlySet<string> = new Set(Object.keys(AgentPolicy.fields))

/** What is wrong with the shape of an argument, which may come from anywhere. */
const misshapen = <A, I>(schema: Schema.Schema<A, I>, given: unknown) =>
  Effect.match(Schema.decodeUnknown(schema, { errors: "all", onExcessProperty: "error" })(given), {
    onFailure: (error) => Plan.misshapen("", error).problems,
    onSuccess: () => []
  })

type Refuse = (path: string, rule: Plan.Problem["rule"], message: string) => void

/** Plans what is given, refuses or makes the edit, and plans what comes out. */
const edit = (
  definition: Definition,
  kind: EditRefused["edit"],
  stepId: string,
  shape: Effect.Effect<ReadonlyArray<Plan.Problem>>,
  make: (plan: Plan.Plan, refuse: Refuse) => ReadonlyArray<StepDefinition>
): Effect.Effect<Definition, EditError> =>
  Effect.gen(function* () {
    const plan = yield* Plan.make(definition)
    const problems = [...(yield* shape)]
    const refuse: Refuse = (path, rule, message) => problems.push({ path, rule, message })
    const steps = problems.length > 0 ? [] : make(plan, refuse)
    if (problems.length > 0)
      return yield* new EditRefused({ workflow: definition.name, edit: kind, stepId, problems })
    const edited = { ...definition, steps }
    yield* Plan.make(edited)
    return edited
  })

/** What to say where a step is named that is not there. */
const noStep = (id: string, { steps }: Plan.Plan): string =>
  `there is no step "${id}"${didYouMean(
    id,
    steps.map(({ definition }) => definition.id)
  )}`

/** The step with another list of what it waits for, which stays where it stood among the fields. */
const withAfter = (step: NewStep, after: ReadonlyArray<string>): StepDefinition => {
  if (after.length > 0) return { ...step, after: after as StepDefinition["after"] & object }
  const { after: _, ...rest }: StepDefinition = step
  return rest
}

/** `list` with `by` in the place of the first of `ids`, and without the others and without what is there already. */
const replaced = (
  list: ReadonlyArray<string>,
  ids: ReadonlySet<string>,
  by: ReadonlyArray<string>
): ReadonlyArray<string> => {
  const at = list.findIndex((id) => ids.has(id))
  const place = Math.max(at, 0)
  const others = (part: ReadonlyArray<string>) => part.filter((id) => !ids.has(id))
  return [...new Set([...others(list.slice(0, place)), ...by, ...others(list.slice(place))])]
}

const insertion = Schema.Struct({
  step: StepDefinition,
  after: Schema.Union(Schema.String, Schema.Array(Schema.String)),
  before: Schema.optional(Schema.Array(Schema.String))
})

/** The ids of the steps that wait themselves for all of these, or for nothing where there are none. */
const namesBehind = ({ steps }: Plan.Plan, places: ReadonlyArray<number>): ReadonlySet<string> =>
  new Set(
    steps
      .filter(({ definition }) => !isCompensation(definition))
      .filter(({ dependencies }) =>
        places.length === 0
          ? dependencies.length === 0
          : places.every((index) => dependencies.includes(index))
      )
      .map(({ definition }) => definition.id)
  )

/** Which steps wait for an inserted one. */
export interface InsertOptions {
  /** Some of the steps that would wait for it, instead of all of them; an empty list makes it the last one of a branch. */
  readonly before?: ReadonlyArray<string>
}

/**
 * The definition with a step behind one or several others. The new step waits for `after`, in that order. What waited for all
 * of `after` waits for the new step instead, in the place of the first of them; what waited for some of them only is left
 * as it is. An empty `after` is the beginning: the steps that waited for nothing wait for the new one. In the list of steps
 * it comes behind the last of `after`.
 *
 * No other step changes, and among the others each has the same steps before it as it had. A join rule looks at the steps
 * that are named in `after`: those that wait for the new step judge by how that one ends. `remove` takes it back, exactly
 * where there was one step in `after`; where there were several, they are listed in the order that was given here.
 *
 * @example
 * ```ts
 * import * as Workflow from "@switchyard/core/Workflow"
 * import * as WorkflowEdit from "@switchyard/core/WorkflowEdit"
 *
 * const { definition } = Workflow.make("release").pipe(
 *   Workflow.step("build", { skill: "build" }),
 *   Workflow.step("deploy", { skill: "deploy", after: ["build"] })
 * )
 *
 * export const gated = WorkflowEdit.insertAfter(
 *   definition,
 *   "build",
 *   Workflow.stepDefinition("ask", { approval: { message: "Deploy it?" } })
 * )
 * ```
 */
export const insertAfter = (
  definition: Definition,
  after: string | ReadonlyArray<string>,
  step: NewStep,
  options: InsertOptions = {}
): Effect.Effect<Definition, EditError> =>
  edit(
    definition,
    "insertAfter",
    typeof step?.id === "string" ? step.id : "",
    misshapen(insertion, { step, after, ...options }),
    (plan, refuse) => {
      const taken = plan.indexOf(step.id)
      if (taken !== undefined)
        refuse(
          "step.id",
          "duplicate",
          `"${step.id}" is the id of steps[${taken}]; give the new step another one`
        )
      if ("after" in step)
        refuse("step.after", "dependency", "where a step is inserted says what it waits for; leave this out")
      if (isCompensation(step))
        refuse(
          "step.compensates",
          "compensation",
          "what compensates a step is inserted behind none; add it to the steps of the definition"
        )
      const ids = typeof after === "string" ? [after] : after
      const places = ids.map((id, position) => {
        const path = typeof after === "string" ? "after" : `after[${position}]`
        const index = plan.indexOf(id)
        if (index === undefined) refuse(path, "dependency", noStep(id, plan))
        return index ?? -1
      })

      const behind = namesBehind(plan, places)
      for (const [position, id] of (options.before ?? []).entries()) {
        const path = `before[${position}]`
        if (plan.indexOf(id) === undefined) refuse(path, "dependency", noStep(id, plan))
        else if (!behind.has(id)) {
          const why =
            ids.length === 0 ? "waits for other steps" : `does not itself wait for ${ids.join(" and ")}`
          const choice = [...behind].slice(0, 5).join(", ")
          const instead = choice === "" ? "leave it out" : `choose from ${choice}`
          refuse(path, "dependency", `"${id}" ${why}; ${instead}`)
        }
      }

      const moved = options.before === undefined ? behind : new Set(options.before)
      const steps = definition.steps.map((each) =>
        moved.has(each.id) ? withAfter(each, replaced(each.after ?? [], new Set(ids), [step.id])) : each
      )
      const last = Math.max(-1, ...places)
      return [...steps.slice(0, last + 1), withAfter(step, ids), ...steps.slice(last + 1)]
    }
  )

/** The steps that start only after one is settled, in the order of the definition. */
const stepsBehind = ({ steps }: Plan.Plan, index: number): ReadonlyArray<Plan.PlannedStep> => {
  const found = new Set<number>()
  const next = [...(steps[index]?.dependents ?? [])]
  for (let at = next.pop(); at !== undefined; at = next.pop()) {
    if (found.has(at)) continue
    found.add(at)
    next.push(...(steps[at]?.dependents ?? []))
  }
  return steps.filter((step) => found.has(step.index))
}

/**
 * The definition without a step. What waited for it waits for what it waited for, in its place and nothing twice; a list
 * that becomes empty is left out. No other step changes, and among the others each has the same steps before it as it had.
 * What compensates the step goes with it.
 *
 * Refused where an expression of another step looks at the step, or may do so because it computes the id; every such place is
 * named. Also refused for the only step, because a workflow needs one.
 */
export const remove = (definition: Definition, stepId: string): Effect.Effect<Definition, EditError> =>
  edit(definition, "remove", `${stepId}`, Effect.succeed([]), (plan, refuse) => {
    const index = plan.indexOf(stepId)
    if (index === undefined) {
      refuse("stepId", "dependency", noStep(stepId, plan))
      return []
    }
    const gone = new Set([stepId])
    for (const { compensates, id } of definition.steps) if (compensates === stepId) gone.add(id)
    if (plan.steps.length === gone.size)
      refuse(
        `steps[${index}]`,
        "empty",
        "this is the only step, and a workflow needs one; insert another one first"
      )
    for (const step of stepsBehind(plan, index)) {
      const { id } = step.definition
      if (gone.has(id)) continue
      for (const { path, references } of referring(step).places) {
        const looks = references
          .filter(([root, name]) => root === "steps" && (name === undefined || name === stepId))
          .map((reference) => reference.join("."))
        for (const look of new Set(looks)) {
          const message =
            look === "steps"
              ? `"${id}" computes whose output it looks at, which may be "${stepId}"; write the ids of the steps out`
              : `"${id}" looks at ${look}; let it look at something else first`
          refuse(path, "reference", message)
        }
      }
    }

    const waitedFor = definition.steps[index]?.after ?? []
    return definition.steps
      .filter(({ id }) => !gone.has(id))
      .map((each) =>
        each.after?.some((id) => id === stepId) === true
          ? withAfter(each, replaced(each.after, gone, waitedFor))
          : each
      )
  })

/**
 * The definition with another answer to who does a step, and how: all of `AgentPolicy` is replaced, so that what `policy`
 * does not say is left to the defaults of the workflow. Everything else about the step, and every other step, stays as it is.
 *
 * Refused for a step that is done without an agent, and for anything in `policy` that is not about agents.
 */
export const replaceAgentPolicy = (
  definition: Definition,
  stepId: string,
  policy: AgentPolicy
): Effect.Effect<Definition, EditError> =>
  edit(
    definition,
    "replaceAgentPolicy",
    `${stepId}`,
    misshapen(Schema.Struct({ policy: AgentPolicy }), { policy }),
    (plan, refuse) => {
      const planned = plan.steps[plan.indexOf(stepId) ?? -1]
      if (planned === undefined) refuse("stepId", "dependency", noStep(stepId, plan))
      else if (planned.work._tag !== "Agent") {
        const kind = planned.work._tag.toLowerCase()
        const message = `this is a step with ${kind}, which needs no agent; insert one that does, and remove this one`
        refuse(`steps[${planned.index}]`, "work", message)
      } else if (policy.skill === undefined && policy.agent === undefined) {
        refuse("policy", "work", "this does not say who does the step; give a skill or the id of an agent")
      }
      return definition.steps.map((each) => {
        if (each.id !== stepId) return each
        const kept = Object.fromEntries(Object.entries(each).filter(([name]) => !policyNames.has(name)))
        return { ...kept, ...policy, id: each.id }
      })
    }
  )
