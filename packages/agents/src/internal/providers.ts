import * as AnthropicClient from "@effect/ai-anthropic/AnthropicClient"
import * as AnthropicLanguageModel from "@effect/ai-anthropic/AnthropicLanguageModel"
import * as OpenAiClient from "@effect/ai-openai/OpenAiClient"
import * as OpenAiLanguageModel from "@effect/ai-openai/OpenAiLanguageModel"
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
import * as dialects from "./dialects.js"
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

const dialectOf = { chat: dialects.chat, responses: dialects.responses, messages: dialects.messages } as const

const modelOf = (
  { api, baseUrl, fields, model }: Access,
  key: Redacted.Redacted<string> | undefined,
  transformClient: (client: HttpClient.HttpClient) => HttpClient.HttpClient
) => {
  const options = { apiUrl: baseUrl, transformClient, ...(key === undefined ? {} : { apiKey: key }) }
  switch (api) {
    case "messages":
      return Effect.flatMap(AnthropicClient.make(options), (client) =>
        Effect.provideService(
          AnthropicLanguageModel.make({ model, config: { ...fields } }),
          AnthropicClient.AnthropicClient,
          client
        )
      )
    case "responses":
      return Effect.flatMap(OpenAiClient.make(options), (client) =>
        Effect.provideService(
          // Strict schemas have no optional parts, which those of tools and answers may have.
          OpenAiLanguageModel.make({ model, config: { strict: false, ...fields } }),
          OpenAiClient.OpenAiClient,
          client
        )
      )
    case "chat":
      return Effect.flatMap(HttpClient.HttpClient, (client) =>
        ChatCompletions.make(
          transformClient(
            HttpClient.mapRequest(client, (request) =>
              request.pipe(
                HttpClientRequest.prependUrl(baseUrl),
                key === undefined ? identity : HttpClientRequest.bearerToken(key)
              )
            )
          ),
          { model, fields }
        )
      )
  }
}

/** A connection for one attempt; the key is looked up for each, so that a new one is used as soon as there is one. */
export const connect = (access: Access): Effect.Effect<Connection, AgentError, Scope.Scope> =>
  Effect.gen(function* () {
    const { redact, value } = yield* keyOf(access)
    const wire = makeWire()
    const { api, httpClient, stallMillis, who } = access
    const transform = (client: HttpClient.HttpClient) =>
      checked(wire, { who, dialect: dialectOf[api], stallMillis })(
        HttpClient.withTracerPropagation(client, false)
      )
    const services = yield* Layer.build(httpClient)
    const model = yield* Effect.provide(modelOf(access, value, transform), services)
    return { model, wire, redact }
  })
