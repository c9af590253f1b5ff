import type { Task } from "@switchyard/core/Agent"
import type { Json } from "@switchyard/core/Json"
import * as Placeholder from "@switchyard/core/Placeholder"
import * as Effect from "effect/Effect"

const names = ["input", "item", "index", "total", "attempt", "skill", "runId", "stepId"] as const

/** The text of a prompt, split into what is written and what is put in. */
export type PromptTemplate = Placeholder.Template<(typeof names)[number]>

/** Splits a text, once and for all; fails with a sentence about the first mistake. */
export const parse = (text: string): Effect.Effect<PromptTemplate, string> =>
  Placeholder.parse(text, names, "the prompt")

/** A value as a model reads it: text as it is, anything else as JSON. */
export const asText = (value: Json): string =>
  typeof value === "string" ? value : JSON.stringify(value, undefined, 2)

/** The prompt of a task; fails with a sentence where a value is missing. */
export const render = (template: PromptTemplate, task: Task): Effect.Effect<string, string> =>
  Effect.mapError(Placeholder.render(template, task, asText), (missing) => `${missing} of the prompt`)
