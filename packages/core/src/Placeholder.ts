import * as Effect from "effect/Effect"
import type { Json } from "./Json.js"
import { didYouMean } from "./Nearest.js"

/** A name in braces, as in `{{item}}`; `input` may be followed by a path into it, as in `{{input.file}}`. */
export interface Placeholder<Name extends string> {
  readonly name: Name
  readonly path: ReadonlyArray<string>
}

/** A text, split into what is written and what is put in. */
export type Template<Name extends string> = ReadonlyArray<string | Placeholder<Name>>

/**
 * Splits a text, once and for all; `\{{` stands for two braces. Fails with a sentence about the first mistake, in which the text is
 * called `subject`.
 */
export const parse = <Name extends string>(
  text: string,
  names: ReadonlyArray<Name>,
  subject: string
): Effect.Effect<Template<Name>, string> =>
  Effect.gen(function* () {
    const isName = (name: string): name is Name => (names as ReadonlyArray<string>).includes(name)
    const parts: Array<string | Placeholder<Name>> = []
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
        return yield* Effect.fail(`${subject} has a "{{" without its "}}"; write "\\{{" for braces`)
      const [name = "", ...path] = written.split(".")
      if (!isName(name) || path.includes("") || (path.length > 0 && name !== "input")) {
        const hint = didYouMean(name, names)
        return yield* Effect.fail(
          `${subject} has the unknown placeholder {{${written}}}${hint} (known are ${names.join(", ")})`
        )
      }
      parts.push({ name, path })
    }
    parts.push(text.slice(rest))
    return parts.filter((part) => part !== "")
  })

const lookUp = (value: Json | undefined, path: ReadonlyArray<string>): Json | undefined => {
  let at = value
  for (const key of path) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, key)) return undefined
    at = (at as { readonly [key: string]: Json })[key]
  }
  return at
}

/** The text with its values in place, each as `asText` has it; fails with a sentence where one is missing. */
export const render = <Name extends string>(
  template: Template<Name>,
  values: { readonly [Key in Name]?: Json | undefined },
  asText: (value: Json) => string
): Effect.Effect<string, string> =>
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
