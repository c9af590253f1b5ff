import type * as LanguageModel from "@effect/ai/LanguageModel"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { AgentError } from "@switchyard/core/Agent"
import type * as Secrets from "@switchyard/core/Secrets"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as ChatCompletions from "./chatCompletions.js"
import { chat, messages, responses } from "./dialects.js"
import type { Connection } from "./reply.js"
import { checked, makeWire } from "./wire.js"

/** A key, or the name of the secret that it is. */
export type ApiKey = Redacted.Redacted<string> | { readonly secret: string }

/** How a model is reached over HTTP. */
export interface Access {
  readonly who: string
  readonly api: "chat" | "responses" | "messages"
  readonly model: string
  readonly baseUrl: string
  readonly apiKey: ApiKey | undefined
  readonly secrets: Secrets.Provider
  /** Fields of every request. */
  readonly fields: Readonly<Record<string, unknown>>
  readonly stallMillis: number
  readonly httpClient: Layer.Layer<HttpClient.HttpClient>
}

/**
 * `fetch`. Redirects are not followed, because headers with a key would be sent to wherever they lead.
 */
export const fetchClient: Layer.Layer<HttpClient.HttpClient> = Layer.provide(
  FetchHttpClient.layer,
  Layer.succeed(FetchHttpClient.RequestInit, { redirect: "manual" })
)

interface Key {
  readonly value: Redacted.Redacted<string> | undefined
  readonly redact: (text: string) => string
}

const keyOf = ({ apiKey, secrets, who }: Access): Effect.Effect<Key, AgentError> => {
  if (apiKey === undefined) return Effect.succeed({ value: undefined, redact: secrets.redact })
  if (!Redacted.isRedacted(apiKey)) {
    return Effect.mapBoth(secrets.get(apiKey.secret), {
      onFailure: ({ message }) =>
        new AgentError({ kind: "Unauthorized", reason: `${who} cannot be asked: ${message}` }),
      onSuccess: (value) => ({ value, redact: secrets.redact })
    })
  }
  const plain = Redacted.value(apiKey)
  return Effect.succeed({
    value: apiKey,
    redact: (text) => secrets.redact(plain === "" ? text : text.replaceAll(plain, "[secret]"))
  })
}

const dialects = { chat, messages, responses } as const

/** The libraries of providers are large, so each is loaded once something is asked by it. */
const loaded = <A>(library: string, load: () => Promise<A>): Effect.Effect<A, AgentError> =>
  Effect.tryPromise({
    try: load,
    catch: (error) =>
      new AgentError({ kind: "NotFound", reason: `${library} cannot be loaded; is it installed? (${error})` })
  })

const messagesModel = ({ fields, model }: Access, options: ClientOptions) =>
  Effect.gen(function* () {
    const [client, languageModel] = yield* loaded("@effect/ai-anthropic", () =>
      Promise.all([
        import("@effect/ai-anthropic/AnthropicClient"),
        import("@effect/ai-anthropic/AnthropicLanguageModel")
      ])
    )
    const service = yield* client.make(options)
    return yield* Effect.provideService(
      languageModel.make({ model, config: { ...fields } }),
      client.AnthropicClient,
      service
    )
  })

const responsesModel = ({ fields, model }: Access, options: ClientOptions) =>
  Effect.gen(function* () {
    const [client, languageModel] = yield* loaded("@effect/ai-openai", () =>
      Promise.all([import("@effect/ai-openai/OpenAiClient"), import("@effect/ai-openai/OpenAiLanguageModel")])
    )
    const service = yield* client.make(options)
    return yield* Effect.provideService(
      // Strict schemas have no optional parts, which those of tools and answers may have.
      languageModel.make({ model, config: { strict: false, ...fields } }),
      client.OpenAiClient,
      service
    )
  })

const chatModel = ({ fields, model }: Access, { apiKey, apiUrl, transformClient }: ClientOptions) =>
  Effect.flatMap(HttpClient.HttpClient, (client) =>
    ChatCompletions.make(
      transformClient(
        HttpClient.mapRequest(client, (request) =>
          request.pipe(
            HttpClientRequest.prependUrl(apiUrl),
            apiKey === undefined ? identity : HttpClientRequest.bearerToken(apiKey)
          )
        )
      ),
      { model, fields }
    )
  )

interface ClientOptions {
  readonly apiUrl: string
  readonly apiKey?: Redacted.Redacted<string>
  readonly transformClient: (client: HttpClient.HttpClient) => HttpClient.HttpClient
}

const modelOf = (
  access: Access,
  options: ClientOptions
): Effect.Effect<LanguageModel.Service, AgentError, HttpClient.HttpClient | Scope.Scope> => {
  switch (access.api) {
    case "messages":
      return messagesModel(access, options)
    case "responses":
      return responsesModel(access, options)
    case "chat":
      return chatModel(access, options)
  }
}

/** A connection for one attempt; the key is looked up for each, so that a new one is used as soon as there is one. */
export const connect = (access: Access): Effect.Effect<Connection, AgentError, Scope.Scope> =>
  Effect.gen(function* () {
    const { redact, value } = yield* keyOf(access)
    const wire = makeWire()
    const { api, baseUrl, httpClient, stallMillis, who } = access
    const options: ClientOptions = {
      apiUrl: baseUrl,
      ...(value === undefined ? {} : { apiKey: value }),
      transformClient: (client) =>
        checked(wire, { who, dialect: dialects[api], stallMillis })(
          HttpClient.withTracerPropagation(client, false)
        )
    }
    const services = yield* Layer.build(httpClient)
    const model = yield* Effect.provide(modelOf(access, options), services)
    return { model, wire, redact }
  })
