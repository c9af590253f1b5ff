import type { AgentError } from "@switchyard/core/Agent"
import type * as Secrets from "@switchyard/core/Secrets"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { failure } from "./programFailure.js"

type Part =
  | string
  | { readonly secret: string }
  | { readonly variable: string; readonly otherwise: string | undefined }

/** A value of an environment variable, split into text and what is put into it. */
export type Expandable = ReadonlyArray<Part>

const nameOnly = /^[A-Za-z_]\w*$/

/**
 * Splits a value: `${VAR}` is a variable of the host, `${VAR:default}` one that need not be set, `${secret:NAME}` a secret, and
 * `\${` stands for itself. Fails with a sentence about the first mistake.
 */
export const parse = (text: string): Effect.Effect<Expandable, string> =>
  Effect.gen(function* () {
    const parts: Array<Part> = []
    let rest = 0
    for (const match of text.matchAll(/\\\$\{|\$\{([^}]*)\}|\$\{/g)) {
      parts.push(text.slice(rest, match.index))
      rest = match.index + match[0].length
      const [whole, inner] = match
      if (whole === "\\${") {
        parts.push("${")
        continue
      }
      if (inner === undefined) {
        return yield* Effect.fail(
          `${JSON.stringify(text)} has a "\${" without its "}"; write "\\\${" for these two`
        )
      }
      const colon = inner.indexOf(":")
      const name = colon < 0 ? inner : inner.slice(0, colon)
      const after = colon < 0 ? undefined : inner.slice(colon + 1)
      if (name === "secret" && after !== undefined && after !== "") parts.push({ secret: after })
      else if (nameOnly.test(name) && name !== "secret") parts.push({ variable: name, otherwise: after })
      else {
        return yield* Effect.fail(
          `${JSON.stringify(text)} has ${whole}, but only \${VAR}, \${VAR:default} and \${secret:NAME} have a meaning; write "\\\${" for a dollar sign and a brace`
        )
      }
    }
    parts.push(text.slice(rest))
    return parts.filter((part) => part !== "")
  })

/** The whole environment of a program, as it is described. */
export interface Surroundings {
  /** Variables of the host that are passed on where they are set. */
  readonly inherit: ReadonlyArray<string>
  readonly set: Readonly<Record<string, string>>
  readonly expand: ReadonlyArray<readonly [name: string, value: Expandable]>
  /** Variables that the program must be given. */
  readonly required: ReadonlyArray<string>
  readonly secrets: Secrets.Provider
}

const unset = (name: string, where: string): AgentError =>
  failure(
    "NotFound",
    `The variable ${name} is not set, which the program needs; set it in the environment of the host before it starts${where}`
  )

/**
 * The environment of a program now; variables of the host and secrets are looked up each time. Fails with an error
 * that names what is missing and where to set it, never with a value.
 */
export const resolve = ({
  expand,
  inherit,
  required,
  secrets,
  set
}: Surroundings): Effect.Effect<Readonly<Record<string, string>>, AgentError> =>
  Effect.gen(function* () {
    const found = new Map<string, string>()
    for (const name of inherit) {
      const value = process.env[name]
      if (value !== undefined) found.set(name, value)
    }
    for (const [name, parts] of expand) {
      const texts = yield* Effect.forEach(parts, (part) => {
        if (typeof part === "string") return Effect.succeed(part)
        if ("secret" in part) {
          return Effect.mapBoth(secrets.get(part.secret), {
            onFailure: ({ message }) =>
              failure("Unauthorized", `${message}; the variable ${name} of the program is made of it`),
            onSuccess: Redacted.value
          })
        }
        const value = process.env[part.variable] ?? part.otherwise
        return value === undefined
          ? Effect.fail(
              unset(
                part.variable,
                `, or give a default as in \${${part.variable}:default}; ${name} is made of it`
              )
            )
          : Effect.succeed(value)
      })
      found.set(name, texts.join(""))
    }
    for (const [name, value] of Object.entries(set)) found.set(name, value)
    for (const name of required) {
      if ((found.get(name) ?? "") === "") {
        return yield* Effect.fail(unset(name, ", or give it a value in the `env` of the agent"))
      }
    }
    return Object.fromEntries(found)
  })
