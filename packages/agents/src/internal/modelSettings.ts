import { AgentError, type Task } from "@switchyard/core/Agent"
import type { Json } from "@switchyard/core/Json"
import { InvalidAgent } from "@switchyard/node/AgentKind"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { ModelTool } from "../ModelTool.js"
import * as PriceTable from "../PriceTable.js"
import { type Contract, fromJsonSchema, fromSchema, jsonSchemaOf } from "./contract.js"
import { type CountTokens, cutToTokens, estimateTokens } from "./dialogue.js"
import type { Settings, Shorten } from "./modelAttempt.js"
import { asText, parse, render } from "./promptTemplate.js"

/** What an agent of a model may be told, as far as it is settled here. */
export interface Told {
  readonly system?: string
  readonly prompt?: string | ((task: Task) => string | Effect.Effect<string, AgentError>)
  readonly output?: Schema.Schema.AnyNoContext | { readonly jsonSchema: { readonly [key: string]: Json } }
  readonly outputBy?: "tool" | "text"
  readonly repairs?: number
  readonly tools?: ReadonlyArray<ModelTool>
  readonly maxToolRounds?: number
  readonly maxResultCharacters?: number
  readonly contextTokens?: number
  readonly onTooLong?:
    | "fail"
    | "truncate"
    | ((input: string, tokens: number) => string | Effect.Effect<string, AgentError>)
  readonly countTokens?: CountTokens
  readonly onCutOff?: "fail" | "keep"
  readonly prices?: PriceTable.PriceTable
  readonly stallTimeout?: Duration.DurationInput
  readonly progressCharacters?: number
}

/** Fails because of what an agent was told. */
export const invalid = (agentId: string, reason: string): Effect.Effect<never, InvalidAgent> =>
  Effect.fail(new InvalidAgent({ agentId, reason }))

/** The longest silence, in milliseconds. */
export const stallMillisOf = ({ stallTimeout = "1 minute" }: Told): number => Duration.toMillis(stallTimeout)

const effectOf = (result: string | Effect.Effect<string, AgentError>): Effect.Effect<string, AgentError> =>
  Effect.isEffect(result) ? result : Effect.succeed(result)

const promptOf = (prompt: Told["prompt"]): Effect.Effect<Settings["prompt"], string> => {
  if (prompt === undefined) return Effect.succeed(({ input }) => Effect.succeed(asText(input)))
  if (typeof prompt === "function")
    return Effect.succeed((task) => Effect.suspend(() => effectOf(prompt(task))))
  return Effect.map(
    parse(prompt),
    (template) => (task) =>
      Effect.mapError(render(template, task), (reason) => new AgentError({ kind: "InvalidInput", reason }))
  )
}

const contractOf = (output: Told["output"]): Contract | undefined =>
  output === undefined
    ? undefined
    : Schema.isSchema(output)
      ? fromSchema(output)
      : fromJsonSchema(output.jsonSchema)

const shortenOf = (onTooLong: Told["onTooLong"], count: CountTokens): Shorten | undefined => {
  if (onTooLong === undefined || onTooLong === "fail") return undefined
  if (onTooLong !== "truncate")
    return (input, tokens) => Effect.suspend(() => effectOf(onTooLong(input, tokens)))
  return (input, tokens) => {
    const cut = cutToTokens(input, tokens, count)
    return cut === undefined
      ? Effect.fail(
          new AgentError({
            kind: "ContextTooLong",
            reason: `there is room for ${tokens} tokens of the input, which is too little to cut it to`
          })
        )
      : Effect.succeed(cut)
  }
}

const problemOf = (told: Told): string | undefined => {
  const counts = {
    repairs: told.repairs,
    maxToolRounds: told.maxToolRounds,
    maxResultCharacters: told.maxResultCharacters,
    contextTokens: told.contextTokens,
    progressCharacters: told.progressCharacters
  }
  for (const [name, value] of Object.entries(counts)) {
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= 0))
      return `${name} is ${value}, but has to be a whole number that is not negative`
  }
  const names = new Set<string>()
  for (const { name, parameters } of told.tools ?? []) {
    if (!/^[A-Za-z0-9_-]{1,64}$/.test(name))
      return `a tool is named ${JSON.stringify(name)}; names have up to 64 letters, digits, "_" and "-"`
    if (names.has(name)) return `it has two tools named "${name}"`
    names.add(name)
    try {
      if (jsonSchemaOf(parameters).type !== "object") return `the parameters of "${name}" are no struct`
    } catch (error) {
      return `the parameters of "${name}" have no JSON Schema: ${String(error)}`
    }
  }
  if (names.has("submit_answer"))
    return `"submit_answer" is what answers are given by; name that tool differently`
  return undefined
}

/** Settles what an agent is told; what is wrong with it is found here, and not by its first task. */
export const settle = (
  id: string,
  told: Told,
  given: Pick<Settings, "provider" | "model" | "reservedTokens" | "connect">
): Effect.Effect<Settings, InvalidAgent> =>
  Effect.gen(function* () {
    const { model, provider } = given
    if (model === "") return yield* Effect.fail("its model has no name")
    const problem = problemOf(told)
    if (problem !== undefined) return yield* Effect.fail(problem)
    const contract = yield* Effect.try({
      try: () => contractOf(told.output),
      catch: (error) => `its output has no JSON Schema: ${String(error)}`
    })
    const { countTokens: count = estimateTokens, prices = PriceTable.builtIn } = told
    return {
      ...given,
      who: `${provider}/${model}`,
      system: told.system ?? "",
      prompt: yield* promptOf(told.prompt),
      contract,
      answersByTool: told.outputBy !== "text",
      repairs: told.repairs ?? 2,
      tools: told.tools ?? [],
      maxToolRounds: told.maxToolRounds ?? 16,
      maxResultCharacters: told.maxResultCharacters ?? 50_000,
      stallMillis: stallMillisOf(told),
      contextTokens: told.contextTokens ?? PriceTable.contextTokens(prices, provider, model),
      count,
      shorten: shortenOf(told.onTooLong, count),
      keepsCutAnswers: told.onCutOff === "keep",
      prices,
      progressCharacters: told.progressCharacters ?? 400,
      warned: { once: false }
    }
  }).pipe(
    Effect.catchIf(
      (error): error is string => typeof error === "string",
      (reason) => invalid(id, reason)
    )
  )
