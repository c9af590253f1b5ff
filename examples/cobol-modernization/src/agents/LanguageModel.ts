import * as Agent from "@switchyard/core/Agent"
import * as Usage from "@switchyard/core/Usage"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { asJson, attempt, decode, type Sources } from "./Task.js"
import { findProgram, packageName, TransformationInput, writeJava } from "./Transformation.js"

/** An endpoint that speaks the chat completions protocol of OpenAI; prices are in US dollars per million tokens. */
export interface Endpoint {
  readonly baseUrl: string
  readonly apiKey: string | undefined
  readonly model: string
  readonly inputPrice: number
  readonly outputPrice: number
}

/**
 * The endpoint that the environment names: by `OPENAI_BASE_URL`, or by `OPENAI_MODEL` with `OPENAI_API_KEY`. A key alone is
 * there for other programs, and does not make a demo spend money.
 */
export const endpointFrom = (environment: NodeJS.ProcessEnv): Endpoint | undefined => {
  const { OPENAI_API_KEY, OPENAI_BASE_URL, OPENAI_INPUT_PRICE, OPENAI_MODEL, OPENAI_OUTPUT_PRICE } =
    environment
  if (!OPENAI_BASE_URL && !(OPENAI_API_KEY && OPENAI_MODEL)) return undefined
  return {
    baseUrl: (OPENAI_BASE_URL || "https://api.openai.com/v1").replace(/\/+$/, ""),
    apiKey: OPENAI_API_KEY || undefined,
    model: OPENAI_MODEL || "gpt-4.1-mini",
    inputPrice: Number(OPENAI_INPUT_PRICE) || 0,
    outputPrice: Number(OPENAI_OUTPUT_PRICE) || 0
  }
}

const Completion = Schema.Struct({
  choices: Schema.NonEmptyArray(
    Schema.Struct({ message: Schema.Struct({ content: Schema.NullOr(Schema.String) }) })
  ),
  usage: Schema.optional(
    Schema.Struct({ prompt_tokens: Schema.NonNegativeInt, completion_tokens: Schema.NonNegativeInt })
  )
})

const kindOf = (status: number): Agent.AgentErrorKind => {
  if (status === 401 || status === 403) return "Unauthorized"
  if (status === 404) return "NotFound"
  if (status === 408 || status === 504) return "Timeout"
  if (status === 413) return "ContextTooLong"
  if (status === 429) return "RateLimited"
  return status >= 500 ? "Unavailable" : "Failed"
}

const failureOf = async (response: Response): Promise<Agent.AgentError> => {
  const seconds = Number(response.headers.get("retry-after"))
  const text = (await response.text()).slice(0, 500)
  return new Agent.AgentError({
    kind: kindOf(response.status),
    reason: `the model endpoint answered ${response.status}: ${text}`,
    ...(seconds > 0 ? { retryAfterMillis: Math.round(seconds * 1000) } : {})
  })
}

const ask = async (
  endpoint: Endpoint,
  prompt: string,
  signal: AbortSignal
): Promise<typeof Completion.Type> => {
  const headers = {
    "content-type": "application/json",
    ...(endpoint.apiKey === undefined ? {} : { authorization: `Bearer ${endpoint.apiKey}` })
  }
  const body = JSON.stringify({ model: endpoint.model, messages: [{ role: "user", content: prompt }] })
  let response: Response
  try {
    response = await fetch(`${endpoint.baseUrl}/chat/completions`, { method: "POST", headers, body, signal })
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error)
    throw new Agent.AgentError({
      kind: "Unavailable",
      reason: `the model endpoint cannot be reached: ${cause}`
    })
  }
  if (!response.ok) throw await failureOf(response)
  return Schema.decodeUnknownPromise(Completion)(await response.json()).catch((error: unknown) => {
    throw new Agent.AgentError({
      kind: "InvalidOutput",
      reason: `the model endpoint gave no completion: ${error}`
    })
  })
}

const promptFor = (name: string, className: string, text: string): string =>
  [
    `Translate the COBOL program ${name} to one Java 17 class named ${className} in the package ${packageName}.`,
    "Use typed fields for the data items, one method per paragraph, and BigDecimal for decimals.",
    "Mark what cannot be translated with a comment `// TODO(cobol)` and the source line.",
    "Answer with one fenced block of Java and nothing else.",
    "",
    "```cobol",
    text,
    "```"
  ].join("\n")

/** The Java of an answer, or undefined where there is no class of that name in it. */
const javaIn = (answer: string, className: string): string | undefined => {
  const source = /```(?:java)?\s*\n([\s\S]*?)```/.exec(answer)?.[1] ?? answer
  return new RegExp(`\\bclass\\s+${className}\\b`).test(source) ? source : undefined
}

/** Translates a program with a language model; it is preferred to the rules where it is configured. */
export const languageModel = (sources: Sources, endpoint: Endpoint): Agent.Agent =>
  Agent.make("llm-translator", {
    capabilities: [{ skill: "java-generation", inputTypes: ["cobol"], outputTypes: ["java"], priority: 10 }],
    metadata: { description: `Translates COBOL to Java with ${endpoint.model}` },
    run: (task) => {
      const answer = Effect.gen(function* () {
        const { program: wanted, source } = yield* decode(TransformationInput, task)
        const tree = yield* attempt(() => sources(task.runId, source))
        const { text } = yield* findProgram(tree, wanted)
        const { className } = wanted
        const completion = yield* attempt((signal) =>
          ask(endpoint, promptFor(wanted.name, className, text), signal)
        )
        const inputTokens = completion.usage?.prompt_tokens ?? 0
        const outputTokens = completion.usage?.completion_tokens ?? 0
        const costUsd = (inputTokens * endpoint.inputPrice + outputTokens * endpoint.outputPrice) / 1_000_000
        const usage = Usage.make({ inputTokens, outputTokens, costUsd })
        const java = javaIn(completion.choices[0].message.content ?? "", className)
        if (java === undefined) {
          const reason = `the model's answer has no class ${className}`
          return yield* new Agent.AgentError({ kind: "InvalidOutput", reason, usage })
        }
        const file = yield* writeJava(task, className, java)
        return Agent.output(asJson({ program: wanted.name, className, file, by: endpoint.model }), usage)
      })
      const waiting = Agent.progress({ progress: 0, message: `asking ${endpoint.model}` })
      return Stream.concat(Stream.make(waiting), Stream.fromEffect(answer))
    }
  })
