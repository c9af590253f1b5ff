import { Json } from "@switchyard/core/Json"
import { type AgentKind, InvalidAgent } from "@switchyard/node/AgentKind"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { durationMillis } from "./internal/resetTime.js"
import * as LanguageModelAgent from "./LanguageModelAgent.js"
import * as ModelTool from "./ModelTool.js"
import * as PriceTable from "./PriceTable.js"

const optional = <A, I>(schema: Schema.Schema<A, I>, description: string) =>
  Schema.optionalWith(schema, { exact: true }).annotations({ description })

const required = <A, I>(schema: Schema.Schema<A, I>, description: string) =>
  Schema.propertySignature(schema).annotations({ description })

const Positive = Schema.Int.pipe(Schema.positive({ message: () => "this must be a whole number above 0" }))

const Usd = Schema.JsonNumber.pipe(
  Schema.nonNegative({ message: () => "this must be an amount of US dollars, 0 or more" })
)

const Duration = Schema.Union(Schema.JsonNumber, Schema.String).pipe(
  Schema.filter(
    (written) => (typeof written === "number" ? written > 0 : durationMillis(written) !== undefined),
    {
      message: () => "this must be a duration such as 90s, 30m or 1h30m",
      jsonSchema: {}
    }
  )
)

const tools = {
  read_file: ModelTool.readFile,
  list_files: ModelTool.listFiles,
  write_file: ModelTool.writeFile
} as const

/**
 * An agent of a language model as data. A file of an agent has these fields beside those of all agents; reading it asks no model and
 * looks up no secret.
 */
export const ModelDefinition = Schema.Struct({
  provider: required(
    Schema.Literal("openai", "anthropic"),
    "Whose protocol the model is asked by: openai, also for the many servers that speak it, or anthropic."
  ),
  model: required(Schema.NonEmptyString, "The name of the model, as its provider spells it."),
  baseUrl: optional(
    Schema.NonEmptyString,
    "The address before the paths of the API; that of the provider by default."
  ),
  api: optional(
    Schema.Literal("chat", "responses"),
    "Which of the protocols of OpenAI: responses by default for OpenAI, chat elsewhere."
  ),
  secret: optional(
    Schema.NonEmptyString,
    "The name of the secret that is the key, never the key itself; no key is sent by default."
  ),
  servedBy: optional(
    Schema.NonEmptyString,
    "Who serves the model, by which its price is looked up; follows from provider and baseUrl by default."
  ),
  system: optional(Schema.String, "What the model is told before every task."),
  prompt: optional(
    Schema.String,
    "What it is asked, with {{input}}, {{input.field}}, {{item}}, {{index}} and so on; the input by default."
  ),
  output: optional(
    Schema.Record({ key: Schema.String, value: Json }),
    "The JSON Schema of the answer; without it the answer is text."
  ),
  outputBy: optional(
    Schema.Literal("tool", "text"),
    "How an answer by Schema is given: by calling a tool (the default), or as a text of JSON."
  ),
  repairs: optional(
    Schema.NonNegativeInt,
    "How often an answer that is not by its Schema goes back to the model; 2 by default."
  ),
  tools: optional(
    Schema.Array(Schema.Literal("read_file", "list_files", "write_file")),
    "What the model may do with files of the workspace, where the run allows it; nothing by default."
  ),
  maxToolRounds: optional(
    Schema.NonNegativeInt,
    "How often it may call tools before it has to answer; 16 by default."
  ),
  temperature: optional(
    Schema.JsonNumber,
    "How much chance there is in answers, as the provider defines it."
  ),
  maxTokens: optional(Positive, "The longest answer in tokens."),
  contextTokens: optional(Positive, "How many tokens input and output may have together."),
  onTooLong: optional(
    Schema.Literal("fail", "truncate"),
    "Whether input that is too long is an error (the default) or loses its middle."
  ),
  onCutOff: optional(
    Schema.Literal("fail", "keep"),
    "Whether an answer that was cut off is an error (the default) or is taken as it is."
  ),
  stallTimeout: optional(
    Duration,
    "The longest silence, as in 90s; a number means seconds; a minute by default."
  ),
  price: optional(
    Schema.Struct({
      inputUsdPerMillion: required(Usd, "US dollars per million tokens of input."),
      cachedUsdPerMillion: optional(Usd, "The same for input from a cache; as other input by default."),
      cacheWriteUsdPerMillion: optional(
        Usd,
        "The same for input written to a cache; as other input by default."
      ),
      outputUsdPerMillion: required(Usd, "US dollars per million tokens of output.")
    }),
    "What the model costs; what is known of it by default."
  ),
  fields: optional(
    Schema.Record({ key: Schema.String, value: Json }),
    "More fields of each request, as the provider documents them."
  )
}).annotations({ identifier: "ModelAgent" })
export type ModelDefinition = typeof ModelDefinition.Type

const pricesOf = (
  { model, price }: ModelDefinition,
  prices: PriceTable.PriceTable
): PriceTable.PriceTable => {
  if (price === undefined) return prices
  const { cachedUsdPerMillion, cacheWriteUsdPerMillion, inputUsdPerMillion, outputUsdPerMillion } = price
  return PriceTable.extend(prices, [
    {
      provider: "*",
      model,
      prices: {
        input: PriceTable.dollars(inputUsdPerMillion),
        cachedInput: PriceTable.dollars(cachedUsdPerMillion ?? inputUsdPerMillion),
        cacheWrite: PriceTable.dollars(cacheWriteUsdPerMillion ?? inputUsdPerMillion),
        output: PriceTable.dollars(outputUsdPerMillion)
      }
    }
  ])
}

const optionsOf = (definition: ModelDefinition, prices: PriceTable.PriceTable) => {
  const {
    api: _api,
    output,
    price: _price,
    provider: _provider,
    secret,
    servedBy,
    stallTimeout,
    tools: named,
    ...others
  } = definition
  return {
    ...others,
    capabilities: [],
    prices: pricesOf(definition, prices),
    ...(servedBy === undefined ? {} : { provider: servedBy }),
    ...(secret === undefined ? {} : { apiKey: { secret } }),
    ...(output === undefined ? {} : { output: { jsonSchema: output } }),
    ...(named === undefined ? {} : { tools: named.map((name) => tools[name]) }),
    ...(stallTimeout === undefined
      ? {}
      : {
          stallTimeout:
            typeof stallTimeout === "number" ? stallTimeout * 1000 : (durationMillis(stallTimeout) ?? 0)
        })
  }
}

/** What agents of models share that are made of data. */
export interface Options {
  /** What models cost where a definition does not say so; `PriceTable.builtIn` by default. */
  readonly prices?: PriceTable.PriceTable
}

/**
 * Language models in files of agents, whose `kind` is `model`.
 *
 * @example
 * ```ts
 * import * as ModelAgentKind from "@switchyard/agents/ModelAgentKind"
 * import * as AgentFile from "@switchyard/node/AgentFile"
 *
 * export const kinds = [...AgentFile.defaultKinds, ModelAgentKind.make()]
 * ```
 */
export const make = ({
  prices = PriceTable.builtIn
}: Options = {}): AgentKind<ModelDefinition, typeof ModelDefinition.Encoded> => ({
  name: "model",
  schema: ModelDefinition,
  make: (id, definition, { secrets }) => {
    const { api, provider } = definition
    const options = { ...optionsOf(definition, prices), secrets }
    if (provider === "openai")
      return LanguageModelAgent.openAi(id, { ...options, ...(api === undefined ? {} : { api }) })
    return api === undefined
      ? LanguageModelAgent.anthropic(id, options)
      : Effect.fail(
          new InvalidAgent({ agentId: id, reason: `api is of the provider openai, not of anthropic` })
        )
  }
})

/** Language models in files of agents, at list prices. */
export const kind: AgentKind<ModelDefinition, typeof ModelDefinition.Encoded> = make()
