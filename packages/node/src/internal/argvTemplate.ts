import type { Task } from "@switchyard/core/Agent"
import type { Json } from "@switchyard/core/Json"
import * as Placeholders from "@switchyard/core/Placeholder"
import * as Effect from "effect/Effect"

/** What a placeholder may name; `input` may be followed by a path into it, as in `{{input.file}}`. */
export const placeholders = [
  "input",
  "item",
  "index",
  "total",
  "attempt",
  "skill",
  "runId",
  "stepId",
  "idempotencyKey",
  "workspace",
  "state",
  "reports",
  "outputs",
  "temp",
  "prompt",
  "promptFile",
  "model"
] as const
/** A name that an argument may hold in braces. */
export type Placeholder = (typeof placeholders)[number]

/** One element of an argument vector, split into text and placeholders. */
export type Template = Placeholders.Template<Placeholder>

/** An element, or several that are left out together where there is no value for one of their placeholders. */
export type Argument = Template | { readonly optional: ReadonlyArray<Template> }

/** What the placeholders stand for in one attempt. */
export type Values = { readonly [Name in Placeholder]?: Json | undefined }

/** What a task says. */
export const valuesOf = (task: Task): Values => ({
  input: task.input,
  item: task.item,
  index: task.index,
  total: task.total,
  attempt: task.attempt,
  skill: task.skill,
  runId: task.runId,
  stepId: task.stepId,
  idempotencyKey: task.idempotencyKey,
  workspace: task.workspace.root,
  state: task.workspace.stateDir,
  reports: task.workspace.reportsDir,
  outputs: task.workspace.outputsDir,
  temp: task.workspace.tempDir
})

/** Splits an element, once and for all; fails with a sentence about the first mistake. */
export const parse = (text: string): Effect.Effect<Template, string> =>
  Placeholders.parse(text, placeholders, JSON.stringify(text))

/** Splits an element, or several that belong together. */
export const parseArgument = (written: string | ReadonlyArray<string>): Effect.Effect<Argument, string> =>
  typeof written === "string"
    ? parse(written)
    : Effect.map(Effect.forEach(written, parse), (optional) => ({ optional }))

const templatesOf = (argument: Argument): ReadonlyArray<Template> =>
  "optional" in argument ? argument.optional : [argument]

/** Whether an element has a placeholder of this name. */
export const mentions = (argument: Argument, name: Placeholder): boolean =>
  templatesOf(argument).some((template) =>
    template.some((part) => typeof part !== "string" && part.name === name)
  )

/** A value as one argument: text as it is, anything else as JSON. */
export const asText = (value: Json): string => (typeof value === "string" ? value : JSON.stringify(value))

/** The element with its values in place, untouched by any quoting; fails with a sentence where a value is missing. */
export const render = (template: Template, values: Values): Effect.Effect<string, string> =>
  Placeholders.render(template, values, asText)

/** All elements with their values in place; fails with a sentence where a value is missing that may not be. */
export const renderAll = (
  all: ReadonlyArray<Argument>,
  values: Values
): Effect.Effect<ReadonlyArray<string>, string> =>
  Effect.map(
    Effect.forEach(all, (argument) =>
      "optional" in argument
        ? Effect.orElseSucceed(
            Effect.forEach(argument.optional, (template) => render(template, values)),
            (): ReadonlyArray<string> => []
          )
        : Effect.map(render(argument, values), (text) => [text])
    ),
    (found) => found.flat()
  )
