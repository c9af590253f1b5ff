import type * as AiError from "@effect/ai/AiError"
import type * as LanguageModel from "@effect/ai/LanguageModel"
import type * as Prompt from "@effect/ai/Prompt"
import type * as Response from "@effect/ai/Response"
import * as Tool from "@effect/ai/Tool"
import type * as Toolkit from "@effect/ai/Toolkit"
import { AgentError } from "@switchyard/core/Agent"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { Tokens } from "../PriceTable.js"
import { either } from "./compat.js"
import type { ToolCall } from "./dialogue.js"
import { fromAiError, refused } from "./providerFailure.js"
import type { Wire } from "./wire.js"

/** A model as one attempt sees it. */
export interface Connection {
  readonly model: LanguageModel.Service
  /** What is seen of its requests below the library, where that is ours. */
  readonly wire: Wire | undefined
  /** Takes keys out of a text. */
  readonly redact: (text: string) => string
}

/** A tool as a model is told of it. */
export interface OfferedTool {
  readonly name: string
  readonly description: string
  readonly jsonSchema: { readonly [key: string]: unknown }
}

/** What a model is asked. */
export interface Request {
  readonly prompt: Prompt.Prompt
  /** Every tool that it may have heard of. */
  readonly known: ReadonlyArray<OfferedTool>
  /** The names of those that it may call now. */
  readonly offered: ReadonlyArray<string>
  readonly mustCall: boolean
  /** The longest silence, where the connection does not see to that itself. */
  readonly stallMillis: number
  readonly who: string
  readonly onText: (text: string) => void
}

/** What a model answered. */
export interface Reply {
  readonly text: string
  readonly calls: ReadonlyArray<ToolCall>
  readonly reason: Response.FinishReason
  readonly tokens: Tokens | undefined
  /** What cannot be understood in it, and the tools that there are not which it calls. */
  readonly malformed: string | undefined
  readonly unknownTools: ReadonlyArray<string>
}

/** Arguments are checked later, so that a wrong one can be told to the model instead of ending the stream. */
const toolOf = ({ description, jsonSchema, name }: OfferedTool): Tool.Any =>
  Tool.make(name, { description, success: Schema.Unknown }).setParameters(
    Schema.Unknown.annotations({ jsonSchema: { ...jsonSchema } }) as unknown as Tool.AnyParametersSchema
  )

const count = (value: unknown): number =>
  typeof value === "number" && Number.isFinite(value) && value > 0 ? Math.round(value) : 0

/** The usage as the library gives it, where the input counts what came from a cache, except for Anthropic's. */
const tokensOf = ({ metadata, usage }: Response.FinishPart): Tokens | undefined => {
  if (usage.inputTokens === undefined && usage.outputTokens === undefined) return undefined
  const own = metadata.anthropic?.usage as { readonly cache_creation_input_tokens?: unknown } | undefined
  const cachedInput = count(usage.cachedInputTokens)
  const output = count(usage.outputTokens)
  return own === undefined
    ? { input: Math.max(0, count(usage.inputTokens) - cachedInput), cachedInput, cacheWrite: 0, output }
    : {
        input: count(usage.inputTokens),
        cachedInput,
        cacheWrite: count(own.cache_creation_input_tokens),
        output
      }
}

type AnyPart = Response.StreamPart<Record<string, Tool.Any>>

const partsOf = (
  model: LanguageModel.Service,
  { known, mustCall, offered, prompt }: Request
): Stream.Stream<AnyPart, AiError.AiError> => {
  if (known.length === 0) return model.streamText({ prompt })
  const toolkit: Toolkit.WithHandler<Record<string, Tool.Any>> = {
    tools: Object.fromEntries(known.map((each) => [each.name, toolOf(each)])),
    handle: () => Effect.die("tools are called by the agent")
  }
  return model.streamText({
    prompt,
    toolkit,
    toolChoice: { mode: mustCall ? "required" : "auto", oneOf: offered },
    disableToolCallResolution: true
  }) as Stream.Stream<AnyPart, AiError.AiError>
}

/**
 * Asks a model once and reads its answer to the end. An answer that the library cannot make sense of is a reply that says so, since
 * the model can be told; everything else that goes wrong is an error.
 */
export const ask = (connection: Connection, request: Request): Effect.Effect<Reply, AgentError> =>
  Effect.gen(function* () {
    const { model, redact, wire } = connection
    const { onText, stallMillis, who } = request
    if (wire !== undefined) {
      wire.failure = undefined
      wire.usage = undefined
    }
    const calls: Array<ToolCall> = []
    const begun: Array<string> = []
    let text = ""
    let finish: Response.FinishPart | undefined
    let refusal: unknown
    const read = (part: AnyPart): void => {
      switch (part.type) {
        case "text-delta":
          text += part.delta
          onText(text)
          return
        case "tool-params-start":
          begun.push(part.name)
          return
        case "tool-call":
          calls.push({ id: part.id, name: part.name, params: part.params })
          return
        case "finish":
          finish = part
          return
        case "error":
          refusal = part.error
          return
        default:
      }
    }
    const parts = partsOf(model, request)
    const stalled = () =>
      new AgentError({ kind: "Timeout", reason: `${who} sent nothing for ${stallMillis} ms` })
    const ended = yield* either(
      Stream.runForEach(
        wire === undefined ? Stream.timeoutFail(parts, stalled, stallMillis) : parts,
        (part) => Effect.sync(() => read(part))
      )
    )
    const now = yield* Clock.currentTimeMillis
    const failure =
      wire?.failure ??
      (ended._tag === "Right"
        ? undefined
        : ended.left._tag === "AgentError"
          ? ended.left
          : fromAiError(who, ended.left, now)) ??
      (refusal === undefined ? undefined : refused(who, { body: { error: refusal } }, now))
    const unknownTools = begun.filter((name) => !request.known.some((tool) => tool.name === name))
    const isMalformed = failure?.kind === "InvalidOutput"
    if (failure !== undefined && !isMalformed) {
      const { kind, reason, retryAfterMillis } = failure
      return yield* new AgentError({
        kind,
        reason: redact(reason),
        ...(retryAfterMillis === undefined ? {} : { retryAfterMillis })
      })
    }
    if (failure === undefined && finish === undefined && wire === undefined)
      return yield* new AgentError({ kind: "Unavailable", reason: `${who} broke off its answer` })
    const malformed =
      failure?.reason ?? (finish === undefined ? `${who} gave an answer whose end is missing` : undefined)
    return {
      text,
      calls,
      reason: finish?.reason ?? "unknown",
      tokens: wire?.usage ?? (finish === undefined ? undefined : tokensOf(finish)),
      malformed: malformed === undefined ? undefined : redact(malformed),
      unknownTools
    }
  })
