import type { AgentError } from "@switchyard/core/Agent"
import type { Json } from "@switchyard/core/Json"
import { didYouMean } from "@switchyard/core/Nearest"
import * as Effect from "effect/Effect"
import { failure } from "./programFailure.js"
import type { Prices } from "./recordMapping.js"

/** A model that a program can use, as it is described. */
export interface Model {
  readonly argument?: string
  readonly inputUsdPerMillion?: number
  readonly outputUsdPerMillion?: number
  readonly cachedUsdPerMillion?: number
}

/** The model of an attempt. */
export interface Chosen {
  /** What the program is told. */
  readonly argument: string | undefined
  readonly prices: Prices | undefined
}

/** The program is not told any. */
export const noModel: Chosen = { argument: undefined, prices: undefined }

/** The prices of a model, where it has any; cached tokens cost what other input costs unless said otherwise. */
const pricesOf = (model: Model | undefined): Prices | undefined => {
  const { cachedUsdPerMillion, inputUsdPerMillion, outputUsdPerMillion } = model ?? {}
  if (inputUsdPerMillion === undefined && outputUsdPerMillion === undefined) return undefined
  const input = inputUsdPerMillion ?? 0
  return { input, output: outputUsdPerMillion ?? 0, cached: cachedUsdPerMillion ?? input }
}

const textAt = (input: Json, field: string): string | undefined => {
  if (typeof input !== "object" || input === null || Array.isArray(input)) return undefined
  const value = Object.hasOwn(input, field) ? (input as { readonly [key: string]: Json })[field] : undefined
  return typeof value === "string" ? value : undefined
}

/** The prompt that an input holds: its text in `field` where it is an object with one, otherwise all of it. */
export const promptOf = (input: Json, field: string | undefined): Json =>
  (field === undefined ? undefined : textAt(input, field)) ?? input

/**
 * The model of an attempt: what the input names in `model`, else what the step asks for, else the default. Where models are
 * described it has to be one of them, and may be any otherwise.
 */
export const chooseModel = (
  models: Readonly<Record<string, Model>> | undefined,
  otherwise: string | undefined,
  input: Json,
  constraint: unknown
): Effect.Effect<Chosen, AgentError> => {
  const name =
    textAt(input, "model") ?? (typeof constraint === "string" ? constraint : undefined) ?? otherwise
  if (name === undefined) return Effect.succeed(noModel)
  const model = models !== undefined && Object.hasOwn(models, name) ? models[name] : undefined
  if (models !== undefined && model === undefined) {
    const known = Object.keys(models)
    return Effect.fail(
      failure(
        "InvalidInput",
        `There is no model "${name}"${didYouMean(name, known)} (this agent knows ${known.join(", ")})`
      )
    )
  }
  return Effect.succeed({ argument: model?.argument ?? name, prices: pricesOf(model) })
}
