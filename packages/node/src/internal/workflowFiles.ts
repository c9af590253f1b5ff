import { dirname, relative, resolve } from "node:path"
import type { Definition } from "@switchyard/core/Workflow"
import * as Effect from "effect/Effect"

/** What is wrong with a file that a workflow names as one of its steps. */
export interface FileNamed {
  readonly path: string
  readonly rule: "file"
  readonly message: string
}

type Parts = Record<string, unknown>

const isParts = (value: unknown): value is Parts =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Stands where a file cannot be used, so that the rest can be looked at all the same. */
const placeholder = { name: "unknown", steps: [{ id: "unknown", skill: "unknown" }] }

/**
 * Puts the workflows where steps name the files that hold them, relative to the file that names them; `trail` are the files
 * that led here, this one last.
 */
export const withFiles = (
  value: unknown,
  trail: ReadonlyArray<string>,
  readFile: (
    file: string,
    trail: ReadonlyArray<string>
  ) => Effect.Effect<Definition, { readonly message: string }>
): Effect.Effect<{ readonly value: unknown; readonly problems: ReadonlyArray<FileNamed> }> =>
  Effect.gen(function* () {
    const problems: Array<FileNamed> = []
    const [first = "", here = ""] = [trail[0], trail.at(-1)]

    const named = (name: string, path: string) => {
      const file = resolve(dirname(here), name)
      const at = trail.indexOf(file)
      const wrong = (message: string) =>
        Effect.sync((): unknown => {
          problems.push({ path, rule: "file", message })
          return placeholder
        })
      if (at >= 0) {
        const cycle = [...trail.slice(at), file].map((each) => relative(dirname(first), each)).join(" → ")
        return wrong(`the files are steps of each other: ${cycle}; remove one of these steps`)
      }
      return Effect.matchEffect(readFile(file, trail), {
        onFailure: ({ message }) => wrong(message),
        onSuccess: (definition): Effect.Effect<unknown> => Effect.succeed(definition)
      })
    }

    const inside = (given: unknown, prefix: string): Effect.Effect<unknown> => {
      if (!isParts(given) || !Array.isArray(given.steps)) return Effect.succeed(given)
      const steps: ReadonlyArray<unknown> = given.steps
      return Effect.map(
        Effect.forEach(steps, (step, index): Effect.Effect<unknown> => {
          if (!isParts(step) || step.subworkflow === undefined) return Effect.succeed(step)
          const { subworkflow } = step
          const path = `${prefix}steps[${index}].subworkflow`
          const found =
            typeof subworkflow === "string" ? named(subworkflow, path) : inside(subworkflow, `${path}.`)
          return Effect.map(found, (workflow) => ({ ...step, subworkflow: workflow }))
        }),
        (done) => ({ ...given, steps: done })
      )
    }

    return { value: yield* inside(value, ""), problems }
  })
