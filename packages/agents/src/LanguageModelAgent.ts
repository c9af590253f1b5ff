import type * as LanguageModel from "@effect/ai/LanguageModel"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Agent from "@switchyard/core/Agent"
import type { CapabilityInput } from "@switchyard/core/Capability"
import type { Json } from "@switchyard/core/Json"
import * as Secrets from "@switchyard/core/Secrets"
import type { InvalidAgent } from "@switchyard/node/AgentKind"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Mailbox from "effect/Mailbox"
import type * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { offerNow } from "./internal/compat.js"
import type { CountTokens } from "./internal/dialogue.js"
import { attempt, type Settings } from "./internal/modelAttempt.js"
import { invalid, settle, stallMillisOf } from "./internal/modelSettings.js"
import { type ApiKey, connect, fetchClient } from "./internal/providers.js"
import type { ModelTool } from "./ModelTool.js"
import type { PriceTable } from "./PriceTable.js"

export type { CountTokens } from "./internal/dialogue.js"
export type { ApiKey } from "./internal/providers.js"

/** What any agent of a language model may be told. */
export interface Options {
  readonly capabilities: ReadonlyArray<CapabilityInput>
  readonly metadata?: Partial<Agent.Metadata>
  /** What the model is told before every task: who it is, and how to answer. */
  readonly system?: string
  /**
   * What the model is asked: a text in which `{{input}}`, `{{input.some.field}}`, `{{item}}`, `{{index}}`, `{{total}}`, `{{attempt}}`,
   * `{{skill}}`, `{{runId}}` and `{{stepId}}` are replaced (`\{{` stands for two braces), or a function. By default the input: text
   * as it is, anything else as JSON.
   */
  readonly prompt?: string | ((task: Agent.Task) => string | Effect.Effect<string, Agent.AgentError>)
  /**
   * What the answer has to be, as a Schema or as JSON Schema; without it the answer is text. An answer that is something else goes back
   * to the model with all that is wrong with it.
   */
  readonly output?: Schema.Schema.AnyNoContext | { readonly jsonSchema: { readonly [key: string]: Json } }
  /**
   * How the model gives an answer that has a Schema: by calling a tool that takes it (the default), or as a text of JSON, for models
   * that call no tools.
   */
  readonly outputBy?: "tool" | "text"
  /** How often an answer that cannot be used goes back to the model before the attempt fails with `InvalidOutput`; 2 by default. */
  readonly repairs?: number
  /** What the model may do while it works; a run has to allow each tool. */
  readonly tools?: ReadonlyArray<ModelTool>
  /** How often in an attempt the model may call tools before it has to answer; 16 by default. */
  readonly maxToolRounds?: number
  /** The longest result of a tool that a model is told, 50,000 UTF-16 units by default; longer ones lose their middle. */
  readonly maxResultCharacters?: number
  /** How many tokens input and output may have together; by default what the price table says, and no limit where it says nothing. */
  readonly contextTokens?: number
  /**
   * What becomes of input that is too long, after results of old calls of tools were left out: an error with the figures (the default),
   * input without its middle, or what a function makes of it that gets the input and how many tokens there is room for. Input
   * that the provider finds too long is made a quarter shorter, at most three times.
   */
  readonly onTooLong?:
    | "fail"
    | "truncate"
    | ((input: string, tokens: number) => string | Effect.Effect<string, Agent.AgentError>)
  /** How many tokens a text has; by default a quarter of its bytes. */
  readonly countTokens?: CountTokens
  /** What becomes of an answer that was cut off at its greatest length: an error (the default), or it is taken as it is. */
  readonly onCutOff?: "fail" | "keep"
  /** What models cost; `PriceTable.builtIn` by default. */
  readonly prices?: PriceTable
  /** The longest silence of the model before the attempt fails with `Timeout`; a minute by default. */
  readonly stallTimeout?: Duration.DurationInput
  /** Progress shows the end of the text after as many new UTF-16 units; 400 by default. */
  readonly progressCharacters?: number
  /** Says how well the agent is. */
  readonly probe?: Effect.Effect<Agent.Health>
}

/** An agent of any language model of `@effect/ai`. */
export interface ModelOptions extends Options {
  /** Who serves the model, as in the price table. */
  readonly provider: string
  /** The name of the model, as in the price table. */
  readonly model: string
  /** The model; an effect is run for each attempt, and its scope is closed after it. */
  readonly languageModel:
    | LanguageModel.Service
    | Effect.Effect<LanguageModel.Service, Agent.AgentError, Scope.Scope>
  /** How many tokens of the context are left to the answer; 4,096 by default. */
  readonly maxTokens?: number
}

/** How a provider is reached over HTTP. */
export interface AccessOptions extends Options {
  /** The name of the model, as the provider spells it. */
  readonly model: string
  /** The key, or the name of the secret that it is; without it none is sent. */
  readonly apiKey?: ApiKey
  /** Where secrets are looked up, for each attempt anew; nowhere by default. */
  readonly secrets?: Secrets.Provider
  /** The address before the paths of the API. */
  readonly baseUrl?: string
  readonly temperature?: number
  /** The longest answer in tokens, reasoning included: 4,096 where the provider has to be told, otherwise what it says. */
  readonly maxTokens?: number
  /** More fields of each request, as the provider documents them; they replace those that are set here. */
  readonly fields?: { readonly [name: string]: Json }
  /** What requests are made with, such as a client behind a proxy; `fetch` without redirects by default. */
  readonly httpClient?: Layer.Layer<HttpClient.HttpClient>
}

/** An agent of a model that speaks one of OpenAI's protocols. */
export interface OpenAiOptions extends AccessOptions {
  /**
   * The protocol: `responses`, by default where `baseUrl` is that of OpenAI, or `chat` for chat completions, by default elsewhere, since
   * most other servers have nothing else.
   */
  readonly api?: "chat" | "responses"
  /** Who serves the model, as in the price table: `openai`, by default the host of `baseUrl`. */
  readonly provider?: string
}

const run = (settings: Settings, task: Agent.Task): Stream.Stream<Agent.AgentEvent, Agent.AgentError> =>
  Stream.unwrapScoped(
    Effect.gen(function* () {
      // Progress is cumulative, so a consumer that lags loses nothing but the steps in between.
      const events = yield* Mailbox.make<Agent.AgentEvent, Agent.AgentError>({
        capacity: 64,
        strategy: "sliding"
      })
      const attempted = attempt(settings, task, (fields) => offerNow(events, Agent.progress(fields)))
      yield* Effect.forkScoped(
        Mailbox.into(
          Effect.flatMap(attempted, (output) => events.offer(output)),
          events
        )
      )
      return Mailbox.toStream(events)
    })
  )

const agentOf = (id: string, options: Options, settings: Settings): Agent.Agent =>
  Agent.make(id, {
    capabilities: options.capabilities,
    requires: ["InvokeModel", "Network"],
    ...(options.metadata === undefined ? {} : { metadata: options.metadata }),
    ...(options.probe === undefined ? {} : { probe: options.probe }),
    run: (task) => run(settings, task)
  })

/**
 * An agent of any language model of `@effect/ai`. Its progress is the end of the text that the model has written so far and what was
 * used; its output is the answer, with the tokens and the cost of all requests, also of those that failed, as far as they are known.
 * It repeats nothing that failed: that is left to the step.
 */
export const make = (id: string, options: ModelOptions): Effect.Effect<Agent.Agent, InvalidAgent> => {
  const { languageModel, maxTokens, model, provider } = options
  const opened = Effect.isEffect(languageModel) ? languageModel : Effect.succeed(languageModel)
  return Effect.map(
    settle(id, options, {
      provider,
      model,
      reservedTokens: maxTokens ?? 4096,
      connect: Effect.map(opened, (service) => ({
        model: service,
        wire: undefined,
        redact: (text: string) => text
      }))
    }),
    (settings) => agentOf(id, options, settings)
  )
}

const openAiUrl = "https://api.openai.com/v1"

const anthropicUrl = "https://api.anthropic.com"

const overHttp = (
  id: string,
  options: AccessOptions,
  given: {
    readonly api: "chat" | "responses" | "messages"
    readonly provider: string
    readonly baseUrl: string
    readonly fields: Readonly<Record<string, unknown>>
  }
): Effect.Effect<Agent.Agent, InvalidAgent> => {
  const { api, baseUrl, fields, provider } = given
  const { apiKey, httpClient = fetchClient, maxTokens, model, secrets = Secrets.none, temperature } = options
  if (!/^https?:$/.test(URL.canParse(baseUrl) ? new URL(baseUrl).protocol : ""))
    return invalid(id, `${JSON.stringify(baseUrl)} is no address; it begins with https:// or http://`)
  return Effect.map(
    settle(id, options, {
      provider,
      model,
      reservedTokens: maxTokens ?? 4096,
      connect: connect({
        who: `${provider}/${model}`,
        api,
        model,
        baseUrl: baseUrl.replace(/\/+$/, ""),
        apiKey,
        secrets,
        httpClient,
        stallMillis: stallMillisOf(options),
        fields: { ...(temperature === undefined ? {} : { temperature }), ...fields, ...options.fields }
      })
    }),
    (settings) => agentOf(id, options, settings)
  )
}

/**
 * An agent of a model of OpenAI, or of any server that speaks its protocols.
 *
 * @example
 * ```ts
 * import * as LanguageModelAgent from "@switchyard/agents/LanguageModelAgent"
 *
 * export const local = LanguageModelAgent.openAi("summarizer", {
 *   capabilities: [{ skill: "summarize" }],
 *   model: "qwen3:8b",
 *   baseUrl: "http://localhost:11434/v1",
 *   prompt: "Summarize in three sentences:\n\n{{input}}"
 * })
 * ```
 */
export const openAi = (id: string, options: OpenAiOptions): Effect.Effect<Agent.Agent, InvalidAgent> => {
  const { baseUrl = openAiUrl, maxTokens } = options
  const isOpenAi = baseUrl.replace(/\/+$/, "") === openAiUrl
  const { api = isOpenAi ? "responses" : "chat" } = options
  const { provider = isOpenAi ? "openai" : URL.canParse(baseUrl) ? new URL(baseUrl).host : baseUrl } = options
  const limit = api === "responses" ? "max_output_tokens" : isOpenAi ? "max_completion_tokens" : "max_tokens"
  return overHttp(id, options, {
    api,
    provider,
    baseUrl,
    fields: {
      ...(api === "responses" ? { store: false } : {}),
      ...(maxTokens === undefined ? {} : { [limit]: maxTokens })
    }
  })
}

/**
 * An agent of a model of Anthropic, or of a server that speaks its protocol; `baseUrl` is what comes before `/v1/messages`.
 *
 * @example
 * ```ts
 * import * as LanguageModelAgent from "@switchyard/agents/LanguageModelAgent"
 * import * as ModelTool from "@switchyard/agents/ModelTool"
 * import type * as Secrets from "@switchyard/core/Secrets"
 * import * as Schema from "effect/Schema"
 *
 * export const reviewer = (secrets: Secrets.Provider) =>
 *   LanguageModelAgent.anthropic("reviewer", {
 *     capabilities: [{ skill: "review" }],
 *     model: "claude-sonnet-5-5",
 *     apiKey: { secret: "ANTHROPIC_API_KEY" },
 *     secrets,
 *     tools: [ModelTool.readFile, ModelTool.listFiles],
 *     output: Schema.Struct({ verdict: Schema.Literal("accept", "reject"), reasons: Schema.Array(Schema.String) })
 *   })
 * ```
 */
export const anthropic = (
  id: string,
  options: AccessOptions & {
    /** Who serves the model, as in the price table; `anthropic` by default. */
    readonly provider?: string
  }
): Effect.Effect<Agent.Agent, InvalidAgent> =>
  overHttp(id, options, {
    api: "messages",
    provider: options.provider ?? "anthropic",
    baseUrl: options.baseUrl ?? anthropicUrl,
    fields: { max_tokens: options.maxTokens ?? 4096 }
  })
