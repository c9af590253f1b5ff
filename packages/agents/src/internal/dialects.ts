import type { Tokens } from "../PriceTable.js"

type Fields = Readonly<Record<string, unknown>>

/** What one event of a stream means, whatever becomes of it further on. */
export interface Note {
  /** The event as it is passed on, `undefined` where it is not. */
  readonly forward: Fields | undefined
  /** What the request has used so far, where the event says so. */
  readonly usage?: Tokens
  /** Nothing is missing of the answer any more. */
  readonly ended?: boolean
  /** What the provider says went wrong. */
  readonly error?: unknown
}

/** How a provider speaks: what its events mean; `seen` is what was known of the usage before. */
export type Dialect = (event: Fields, seen: Tokens | undefined) => Note

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const fieldsOf = (value: unknown): Fields => (isFields(value) ? value : {})

const count = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isFinite(value) && value >= 0 ? Math.round(value) : undefined

/** Usage where the input counts everything, as all but Anthropic report it. */
const inclusive = (
  input: number | undefined,
  output: number | undefined,
  cached: number | undefined
): Tokens => {
  const cachedInput = Math.min(cached ?? 0, input ?? 0)
  return { input: (input ?? 0) - cachedInput, cachedInput, cacheWrite: 0, output: output ?? 0 }
}

/** OpenAI's chat completions, and what many servers offer under that name. */
export const chat: Dialect = (event) => {
  const error = event.error ?? undefined
  if (error !== undefined) return { forward: undefined, error: { error } }
  const usage = fieldsOf(event.usage ?? fieldsOf(event.x_groq).usage)
  const [choice] = Array.isArray(event.choices) ? event.choices : []
  const ended = typeof fieldsOf(choice).finish_reason === "string"
  const input = count(usage.prompt_tokens)
  const output = count(usage.completion_tokens)
  return {
    forward: event,
    ended,
    ...(input === undefined && output === undefined
      ? {}
      : { usage: inclusive(input, output, count(fieldsOf(usage.prompt_tokens_details).cached_tokens)) })
  }
}

const whole = (value: unknown): number => count(value) ?? 0

const textOf = (value: unknown): string => (typeof value === "string" ? value : "")

/** A response with as much as is used further on, so that nothing else in it can keep an event from being understood. */
const plainResponse = (response: Fields, usage: Tokens | undefined): Fields => {
  const { reason } = fieldsOf(response.incomplete_details)
  return {
    id: textOf(response.id),
    object: "response",
    created_at: whole(response.created_at),
    model: textOf(response.model),
    error: null,
    incomplete_details: reason === "max_output_tokens" || reason === "content_filter" ? { reason } : null,
    output: [],
    instructions: null,
    parallel_tool_calls: true,
    tools: [],
    tool_choice: "auto",
    metadata: null,
    temperature: null,
    top_p: null,
    ...(usage === undefined
      ? {}
      : {
          usage: {
            input_tokens: usage.input + usage.cachedInput,
            input_tokens_details: { cached_tokens: usage.cachedInput },
            output_tokens: usage.output,
            output_tokens_details: { reasoning_tokens: 0 },
            total_tokens: usage.input + usage.cachedInput + usage.output
          }
        })
  }
}

/** A message or a call of a function; what else a response may hold is not used. */
const plainItem = (item: Fields): Fields | undefined => {
  const id = textOf(item.id)
  switch (item.type) {
    case "message":
      return { type: "message", id, role: "assistant", status: "completed", content: [] }
    case "function_call":
      return {
        type: "function_call",
        id,
        call_id: textOf(item.call_id) || id,
        name: textOf(item.name),
        arguments: textOf(item.arguments) || "{}"
      }
    default:
      return undefined
  }
}

/** OpenAI's responses. What is not used of them is left out, since the library drops an event in which anything is new. */
export const responses: Dialect = (event) => {
  const response = fieldsOf(event.response)
  const reported = fieldsOf(response.usage)
  const input = count(reported.input_tokens)
  const usage =
    input === undefined
      ? undefined
      : inclusive(
          input,
          count(reported.output_tokens),
          count(fieldsOf(reported.input_tokens_details).cached_tokens)
        )
  const used = usage === undefined ? {} : { usage }
  const place = {
    type: event.type,
    sequence_number: whole(event.sequence_number),
    output_index: whole(event.output_index)
  }
  switch (event.type) {
    case "error":
      return { forward: undefined, error: event.error === undefined ? { error: event } : event }
    case "response.failed":
      return { forward: undefined, error: { error: response.error }, ...used }
    case "response.refusal.done":
      return { forward: undefined, error: { error: { code: "content_filter", message: event.refusal } } }
    case "response.created":
    case "response.completed":
    case "response.incomplete":
      return {
        forward: {
          type: event.type,
          sequence_number: place.sequence_number,
          response: plainResponse(response, usage)
        },
        ended: event.type !== "response.created",
        ...used
      }
    case "response.output_item.added":
    case "response.output_item.done": {
      const item = plainItem(fieldsOf(event.item))
      return { forward: item === undefined ? undefined : { ...place, item } }
    }
    case "response.output_text.delta":
      return {
        forward: {
          ...place,
          content_index: whole(event.content_index),
          item_id: textOf(event.item_id),
          delta: textOf(event.delta)
        }
      }
    case "response.function_call_arguments.delta":
      return { forward: { ...place, item_id: textOf(event.item_id), delta: textOf(event.delta) } }
    default:
      return { forward: undefined }
  }
}

const blocks: ReadonlySet<unknown> = new Set(["text", "thinking", "redacted_thinking", "tool_use"])

const deltas: ReadonlySet<unknown> = new Set([
  "text_delta",
  "thinking_delta",
  "signature_delta",
  "input_json_delta"
])

const stopReasons: Readonly<Record<string, string>> = {
  end_turn: "end_turn",
  max_tokens: "max_tokens",
  stop_sequence: "stop_sequence",
  tool_use: "tool_use",
  pause_turn: "pause_turn",
  refusal: "refusal",
  model_context_window_exceeded: "max_tokens"
}

const messagesUsage = (usage: Fields, seen: Tokens | undefined): Tokens => ({
  input: count(usage.input_tokens) ?? seen?.input ?? 0,
  cachedInput: count(usage.cache_read_input_tokens) ?? seen?.cachedInput ?? 0,
  cacheWrite: count(usage.cache_creation_input_tokens) ?? seen?.cacheWrite ?? 0,
  output: count(usage.output_tokens) ?? seen?.output ?? 0
})

/**
 * Anthropic's messages. Kinds of events and blocks may be added to them at any time, and those that are not known are left out,
 * so that they do not stop the rest from being understood.
 */
export const messages: Dialect = (event, seen) => {
  switch (event.type) {
    case "message_start": {
      const message = fieldsOf(event.message)
      const usage = messagesUsage(fieldsOf(message.usage), seen)
      return {
        usage,
        forward: {
          type: "message_start",
          message: {
            id: String(message.id ?? ""),
            type: "message",
            role: "assistant",
            content: [],
            model: String(message.model ?? ""),
            stop_reason: null,
            stop_sequence: null,
            usage: { input_tokens: usage.input, output_tokens: usage.output }
          }
        }
      }
    }
    case "message_delta": {
      const usage = messagesUsage(fieldsOf(event.usage), seen)
      const { stop_reason: reason, stop_sequence: sequence } = fieldsOf(event.delta)
      return {
        usage,
        forward: {
          type: "message_delta",
          delta: {
            stop_reason: typeof reason === "string" ? (stopReasons[reason] ?? "end_turn") : null,
            stop_sequence: typeof sequence === "string" ? sequence : null
          },
          usage: { output_tokens: usage.output }
        }
      }
    }
    case "message_stop":
      return { forward: event, ended: true }
    case "content_block_start":
      return { forward: blocks.has(fieldsOf(event.content_block).type) ? event : undefined }
    case "content_block_delta":
      return { forward: deltas.has(fieldsOf(event.delta).type) ? event : undefined }
    case "content_block_stop":
      return { forward: event }
    case "error":
      return { forward: undefined, error: event }
    default:
      return { forward: undefined }
  }
}
