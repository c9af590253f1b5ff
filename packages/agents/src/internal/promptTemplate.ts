import type { Task } from "@switchyard/core/Agent"
import type { Json } from "@switchyard/core/Json"
import { didYouMean } from "@switchyard/core/Nearest"
import * as Effect from "effect/Effect"

const names = ["input", "item", "index", "total", "attempt", "skill", "runId", "stepId"] as const
type Name = (typeof names)[number]

type Part = string | { readonly name: Name; readonly path: ReadonlyArray<string> }

/** The text of a prompt, split into what is written and what is put in. */
export type PromptTemplate = ReadonlyArray<Part>

const isName = (name: string): name is Name => (names as ReadonlyArray<string>).includes(name)

/** Splits a text, once and for all; `\{{` stands for two braces. Fails with a sentence about the first mistake. */
export const parse = (text: string): Effect.Effect<PromptTemplate, string> =>
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
      if (written === undefined)
        return yield* Effect.fail(`the prompt has a "{{" without its "}}"; write "\\{{" for braces`)
      const [name = "", ...path] = written.split(".")
      if (!isName(name) || path.includes("") || (path.length > 0 && name !== "input")) {
        const hint = didYouMean(name, names)
        return yield* Effect.fail(
          `the prompt has the unknown placeholder {{${written}}}${hint} (known are ${names.join(", ")})`
        )
      }
      parts.push({ name, path })
    }
    parts.push(text.slice(rest))
    return parts.filter((part) => part !== "")
  })

/** A value as a model reads it: text as it is, anything else as JSON. */
export const asText = (value: Json): string =>
  typeof value === "string" ? value : JSON.stringify(value, undefined, 2)

const lookUp = (value: Json | undefined, path: ReadonlyArray<string>): Json | undefined => {
  let at = value
  for (const key of path) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, key)) return undefined
    at = (at as { readonly [key: string]: Json })[key]
  }
  return at
}

/** The prompt of a task; fails with a sentence where a value is missing. */
export const render = (template: PromptTemplate, task: Task): Effect.Effect<string, string> =>
  Effect.map(
    Effect.forEach(template, (part) => {
      if (typeof part === "string") return Effect.succeed(part)
      const value = lookUp(task[part.name], part.path)
      return value === undefined
        ? Effect.fail(`there is no value for {{${[part.name, ...part.path].join(".")}}} of the prompt`)
        : Effect.succeed(asText(value))
    }),
    (texts) => texts.join("")
  )
