import type { Task } from "@switchyard/core/Agent"
import type { Json } from "@switchyard/core/Json"
import { didYouMean } from "@switchyard/core/Nearest"
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

type Part = string | { readonly name: Placeholder; readonly path: ReadonlyArray<string> }

/** One element of an argument vector, split into text and placeholders. */
export type Template = ReadonlyArray<Part>

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

const isPlaceholder = (name: string): name is Placeholder =>
  (placeholders as ReadonlyArray<string>).includes(name)

/** Splits an element, once and for all; `\{{` stands for two braces. Fails with a sentence about the first mistake. */
export const parse = (text: string): Effect.Effect<Template, string> =>
  Effect.gen(function* () {
    const parts: Array<Part> = []
    let rest = 0
    for (const match of text.matchAll(/\\\{\{|\{\{([^{}]*)\}\}|\{\{/g)) {
      parts.push(text.slice(rest, match.index))
      rest = match.index + match[0].length
      if (match[0] === "\\{{") {
        parts.push("{{")
        continue
      }
      const written = match[1]?.trim()
      if (written === undefined) {
        return yield* Effect.fail(
          `${JSON.stringify(text)} has a "{{" without its "}}"; write "\\{{" for braces`
        )
      }
      const [name = "", ...path] = written.split(".")
      if (!isPlaceholder(name) || path.includes("") || (path.length > 0 && name !== "input")) {
        const hint = didYouMean(name, placeholders)
        return yield* Effect.fail(
          `${JSON.stringify(text)} has the unknown placeholder {{${written}}}${hint} (known are ${placeholders.join(", ")})`
        )
      }
      parts.push({ name, path })
    }
    parts.push(text.slice(rest))
    return parts.filter((part) => part !== "")
  })

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

const lookUp = (value: Json | undefined, path: ReadonlyArray<string>): Json | undefined => {
  let at = value
  for (const key of path) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, key)) return undefined
    at = (at as { readonly [key: string]: Json })[key]
  }
  return at
}

/** The element with its values in place, untouched by any quoting; fails with a sentence where a value is missing. */
export const render = (template: Template, values: Values): Effect.Effect<string, string> =>
  Effect.map(
    Effect.forEach(template, (part) => {
      if (typeof part === "string") return Effect.succeed(part)
      const value = lookUp(values[part.name], part.path)
      return value === undefined
        ? Effect.fail(`there is no value for {{${[part.name, ...part.path].join(".")}}}`)
        : Effect.succeed(asText(value))
    }),
    (texts) => texts.join("")
  )

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
