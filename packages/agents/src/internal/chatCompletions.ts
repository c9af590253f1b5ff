import * as AiError from "@effect/ai/AiError"
import * as LanguageModel from "@effect/ai/LanguageModel"
import type * as Prompt from "@effect/ai/Prompt"
import type * as Response from "@effect/ai/Response"
import * as Tool from "@effect/ai/Tool"
import * as Sse from "@effect/experimental/Sse"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { parseJson } from "./modelJson.js"

const optional = <A, I>(schema: Schema.Schema<A, I>) => Schema.optional(Schema.NullOr(schema))

/** As much of a chunk as is used; servers leave out, or give as `null`, whatever they have nothing to say about. */
const StreamedChunk = Schema.Struct({
  id: optional(Schema.String),
  model: optional(Schema.String),
  choices: optional(
    Schema.Array(
      Schema.Struct({
        delta: optional(
          Schema.Struct({
            content: optional(Schema.String),
            refusal: optional(Schema.String),
            tool_calls: optional(
              Schema.Array(
                Schema.Struct({
                  index: optional(Schema.Number),
                  id: optional(Schema.String),
                  function: optional(
                    Schema.Struct({ name: optional(Schema.String), arguments: optional(Schema.String) })
                  )
                })
              )
            )
          })
        ),
        finish_reason: optional(Schema.String)
      })
    )
  ),
  usage: optional(
    Schema.Struct({
      prompt_tokens: optional(Schema.Number),
      completion_tokens: optional(Schema.Number),
      prompt_tokens_details: optional(Schema.Struct({ cached_tokens: optional(Schema.Number) }))
    })
  )
})
type StreamedChunk = typeof StreamedChunk.Type

const decodeChunk = Schema.decode(Schema.parseJson(StreamedChunk))

const finishReasons: Readonly<Record<string, Response.FinishReason>> = {
  stop: "stop",
  length: "length",
  tool_calls: "tool-calls",
  function_call: "tool-calls",
  content_filter: "content-filter"
}

/** A call of a tool of which the arguments arrive bit by bit. */
interface Call {
  id: string
  name: string
  params: string
}

const textOf = (result: unknown): string => (typeof result === "string" ? result : JSON.stringify(result))

const messageOf = (message: Prompt.Message): ReadonlyArray<Readonly<Record<string, unknown>>> => {
  switch (message.role) {
    case "system":
      return [{ role: "system", content: message.content }]
    case "user":
      return [
        {
          role: "user",
          content: message.content.map((part) => (part.type === "text" ? part.text : "")).join("")
        }
      ]
    case "assistant": {
      const text = message.content.map((part) => (part.type === "text" ? part.text : "")).join("")
      const calls = message.content.flatMap((part) =>
        part.type === "tool-call"
          ? [
              {
                id: part.id,
                type: "function",
                function: { name: part.name, arguments: JSON.stringify(part.params) }
              }
            ]
          : []
      )
      return [
        {
          role: "assistant",
          content: text === "" ? null : text,
          ...(calls.length === 0 ? {} : { tool_calls: calls })
        }
      ]
    }
    case "tool":
      return message.content.map((part) => ({
        role: "tool",
        tool_call_id: part.id,
        content: textOf(part.result)
      }))
  }
}

const toolChoiceOf = (choice: LanguageModel.ToolChoice<string>): unknown => {
  if (typeof choice === "string") return choice
  if ("tool" in choice) return { type: "function", function: { name: choice.tool } }
  return choice.mode ?? "auto"
}

const malformed = (description: string, cause?: unknown) =>
  new AiError.MalformedOutput({ module: "chatCompletions", method: "streamText", description, cause })

const makeFolder = () => {
  const calls: Array<Call> = []
  let texting = false
  let reason: Response.FinishReason = "unknown"
  let usage: StreamedChunk["usage"]
  let refused = false
  return {
    parts: (chunk: StreamedChunk): ReadonlyArray<Response.StreamPartEncoded> => {
      const parts: Array<Response.StreamPartEncoded> = []
      usage = chunk.usage ?? usage
      const [choice] = chunk.choices ?? []
      const delta = choice?.delta
      if (typeof delta?.refusal === "string" && delta.refusal !== "") refused = true
      if (typeof delta?.content === "string" && delta.content !== "") {
        if (!texting) parts.push({ type: "text-start", id: "0" })
        texting = true
        parts.push({ type: "text-delta", id: "0", delta: delta.content })
      }
      for (const each of delta?.tool_calls ?? []) {
        // Servers that give calls whole leave their places out.
        const place = each.index ?? Math.max(0, each.id ? calls.length : calls.length - 1)
        const call = calls[place] ?? { id: "", name: "", params: "" }
        calls[place] = call
        if (each.id) call.id = each.id
        if (each.function?.name) {
          if (call.name === "")
            parts.push({ type: "tool-params-start", id: call.id, name: each.function.name })
          call.name = each.function.name
        }
        call.params += each.function?.arguments ?? ""
      }
      if (choice?.finish_reason) reason = finishReasons[choice.finish_reason] ?? "unknown"
      return parts
    },
    end: (): ReadonlyArray<Response.StreamPartEncoded> => [
      ...(texting ? [{ type: "text-end", id: "0" } as const] : []),
      ...calls.map((call, place): Response.StreamPartEncoded => {
        let params: unknown
        try {
          params = call.params.trim() === "" ? {} : parseJson(call.params)
        } catch (cause) {
          throw malformed(`the arguments of its call of the tool "${call.name}" are no JSON`, cause)
        }
        return { type: "tool-call", id: call.id || `call-${place}`, name: call.name, params }
      }),
      {
        type: "finish",
        reason: refused ? "content-filter" : reason,
        usage: {
          inputTokens: usage?.prompt_tokens ?? undefined,
          outputTokens: usage?.completion_tokens ?? undefined,
          totalTokens: (usage?.prompt_tokens ?? 0) + (usage?.completion_tokens ?? 0),
          cachedInputTokens: usage?.prompt_tokens_details?.cached_tokens ?? undefined
        }
      }
    ]
  }
}

/** The parts of an answer at once. */
const whole = (parts: ReadonlyArray<Response.StreamPartEncoded>): Array<Response.PartEncoded> => {
  const text = parts.map((part) => (part.type === "text-delta" ? part.delta : "")).join("")
  return [
    ...(text === "" ? [] : [{ type: "text", text } as const]),
    ...parts.flatMap((part) => (part.type === "tool-call" || part.type === "finish" ? [part] : []))
  ]
}

/** What requests have beside the conversation. */
export interface ChatOptions {
  readonly model: string
  /** Fields of the request, such as `temperature`. */
  readonly fields: Readonly<Record<string, unknown>>
}

/**
 * A language model behind `POST /chat/completions`, which is what most servers that call themselves compatible with OpenAI offer.
 * Texts and calls of tools are supported; files are not.
 */
export const make = (
  client: HttpClient.HttpClient,
  { fields, model }: ChatOptions
): Effect.Effect<LanguageModel.Service> => {
  const succeeding = HttpClient.filterStatusOk(client)
  const streamText = (
    options: LanguageModel.ProviderOptions
  ): Stream.Stream<Response.StreamPartEncoded, AiError.AiError> =>
    Stream.suspend(() => {
      const tools = options.tools.map((tool) => ({
        type: "function",
        function: {
          name: tool.name,
          description: tool.description ?? "",
          parameters: Tool.getJsonSchemaFromSchemaAst(tool.parametersSchema.ast)
        }
      }))
      const folder = makeFolder()
      const request = HttpClientRequest.post("/chat/completions").pipe(
        HttpClientRequest.bodyUnsafeJson({
          model,
          messages: options.prompt.content.flatMap(messageOf),
          ...(tools.length === 0 ? {} : { tools, tool_choice: toolChoiceOf(options.toolChoice) }),
          stream: true,
          stream_options: { include_usage: true },
          ...fields
        })
      )
      return succeeding.execute(request).pipe(
        Effect.map((response) => response.stream),
        Stream.unwrap,
        Stream.decodeText(),
        Stream.pipeThroughChannel(Sse.makeChannel()),
        Stream.takeUntil(({ data }) => data === "[DONE]"),
        Stream.filter(({ data }) => data !== "[DONE]"),
        Stream.mapEffect(({ data }) =>
          Effect.mapBoth(decodeChunk(data), {
            onFailure: (cause) => malformed("a chunk of it is not what chat completions are made of", cause),
            onSuccess: folder.parts
          })
        ),
        Stream.concat(
          Stream.fromEffect(
            Effect.try({
              try: folder.end,
              catch: (error) => (AiError.isAiError(error) ? error : malformed(String(error)))
            })
          )
        ),
        Stream.flattenIterables,
        Stream.catchTags({
          RequestError: (error) =>
            Stream.fail(
              AiError.HttpRequestError.fromRequestError({
                module: "chatCompletions",
                method: "streamText",
                error
              })
            ),
          ResponseError: (error) =>
            AiError.HttpResponseError.fromResponseError({
              module: "chatCompletions",
              method: "streamText",
              error
            })
        })
      )
    })
  return LanguageModel.make({
    streamText,
    generateText: (options) =>
      Effect.map(Stream.runCollect(streamText(options)), (parts) => whole([...parts]))
  })
}
