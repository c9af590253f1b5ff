import type { AgentError } from "@switchyard/core/Agent"
import type * as Secrets from "@switchyard/core/Secrets"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { createJSONRPCRequest, isJSONRPCResponse } from "json-rpc-2.0"
import * as Protocol from "../RemoteProtocol.js"
import { failure } from "./attempt.js"
import { type Lines, makeLines, objectIn } from "./lines.js"

/** Where a worker is, and how this host proves who it is. */
export interface Endpoint {
  readonly url: string
  /** The name of the secret that is the bearer token. */
  readonly token: string | undefined
  readonly secrets: Secrets.Provider
  readonly maxMessageBytes: number
}

/** The connection ended before the answer was there; `reached` is false where there was none at all. */
export class Broken extends Data.TaggedError("Broken")<{
  readonly reason: string
  readonly reached: boolean
}> {}

/** One request, and what is heard until its answer. */
export interface Exchange {
  readonly method: string
  readonly params: object
  /** How long nothing may be heard. */
  readonly silenceMillis: number
  /** Called when the worker has taken the request. */
  readonly onAccepted?: () => void
  readonly onNotification?: (method: string, params: unknown) => void
}

const unreachable = new Set(["ECONNREFUSED", "ENOTFOUND", "EHOSTUNREACH", "ENETUNREACH", "EAI_AGAIN"])

const codeOf = (error: unknown): string => {
  const cause = error instanceof Error ? error.cause : undefined
  return cause instanceof Error && "code" in cause ? String(cause.code) : ""
}

const broken = (error: unknown): Broken => {
  const code = codeOf(error)
  const reason = code || (error instanceof Error ? error.message : String(error))
  return new Broken({ reason, reached: !unreachable.has(code) })
}

const retryAfter = (response: Response): { readonly retryAfterMillis?: number } => {
  const value = response.headers.get("retry-after") ?? ""
  return /^\d{1,7}$/.test(value) ? { retryAfterMillis: Number(value) * 1000 } : {}
}

const refusal = (url: string, response: Response): AgentError | Broken => {
  const { status } = response
  const at = `The worker at ${url}`
  switch (status) {
    case 401:
    case 403:
      return failure("Unauthorized", `${at} does not accept the token (status ${status}); correct the secret`)
    case 404:
    case 405:
      return failure("NotFound", `${at} is none: status ${status}; correct the URL`)
    case 413:
      return failure("InvalidInput", `${at} does not take messages of this size (status 413)`)
    case 429:
      return failure("RateLimited", `${at} is asked too often (status 429)`, retryAfter(response))
    case 503:
      return failure("Unavailable", `${at} takes no work now (status 503)`, retryAfter(response))
    case 502:
    case 504:
      return new Broken({ reason: `status ${status}`, reached: true })
    default:
      return failure(status >= 500 ? "Unavailable" : "Failed", `${at} answered with status ${status}`)
  }
}

const decodeError = Schema.decodeUnknown(Protocol.RpcError)

const request = (
  { secrets, token, url, maxMessageBytes }: Endpoint,
  message: string
): Effect.Effect<Response, AgentError | Broken, Scope.Scope> =>
  Effect.gen(function* () {
    if (Buffer.byteLength(message) > maxMessageBytes)
      return yield* failure("InvalidInput", `The input makes a message of more than ${maxMessageBytes} bytes`)
    const bearer =
      token === undefined
        ? undefined
        : yield* Effect.mapError(secrets.get(token), (error) => failure("Unauthorized", error.message))
    const controller = yield* Effect.acquireRelease(
      Effect.sync(() => new AbortController()),
      (each) => Effect.sync(() => each.abort())
    )
    const response = yield* Effect.tryPromise({
      try: () =>
        fetch(url, {
          method: "POST",
          // A redirection would take the token and the input to somebody else.
          redirect: "error",
          signal: controller.signal,
          headers: {
            "content-type": "application/json",
            accept: "application/x-ndjson, application/json",
            ...(bearer === undefined ? {} : { authorization: `Bearer ${Redacted.value(bearer)}` })
          },
          body: message
        }),
      catch: broken
    })
    if (response.status !== 200) return yield* refusal(url, response)
    const type = response.headers.get("content-type") ?? ""
    if (!/^application\/(x-ndjson|json)\b/.test(type))
      return yield* failure(
        "InvalidOutput",
        `The worker at ${url} answered with ${type || "no type"}, not with JSON`
      )
    return response
  })

const inTime = <A, E, R>(effect: Effect.Effect<A, E, R>, millis: number): Effect.Effect<A, E | Broken, R> =>
  Effect.flatMap(
    Effect.timeoutOption(effect, millis),
    Option.match({
      onNone: () => new Broken({ reason: `nothing was heard for ${millis} ms`, reached: true }),
      onSome: Effect.succeed
    })
  )

/** What the lines of a body come to. */
interface Reading {
  readonly lines: Lines
  readonly answer: () => { readonly result: unknown } | { readonly error: unknown } | undefined
  readonly tooLong: () => boolean
}

const reading = (id: string, limit: number, onNotification: Exchange["onNotification"]): Reading => {
  let answer: ReturnType<Reading["answer"]>
  let long = false
  const onLine = (line: string) => {
    const message = objectIn(line)
    if (message?.jsonrpc !== "2.0") return
    if (isJSONRPCResponse(message)) {
      if (message.id === id || message.id === null)
        answer ??= message.error === undefined ? { result: message.result } : { error: message.error }
    } else if (typeof message.method === "string") onNotification?.(message.method, message.params)
  }
  const lines = makeLines(limit, onLine, () => {
    long = true
  })
  return { lines, answer: () => answer, tooLong: () => long }
}

/**
 * Sends a request and reads what is answered, line by line and never more of a line than a message may have, up to the answer
 * itself. Nothing is read of what is not an answer of a worker.
 */
export const exchange = (endpoint: Endpoint, asked: Exchange): Effect.Effect<unknown, AgentError | Broken> =>
  Effect.gen(function* () {
    const id = "1"
    const message = JSON.stringify(createJSONRPCRequest(id, asked.method, asked.params))
    const response = yield* inTime(request(endpoint, message), asked.silenceMillis)
    asked.onAccepted?.()
    const { answer, lines, tooLong } = reading(id, endpoint.maxMessageBytes, asked.onNotification)
    const reader = response.body?.getReader()
    while (answer() === undefined) {
      const read = Effect.tryPromise({ try: async () => reader?.read(), catch: broken })
      const chunk = yield* inTime(read, asked.silenceMillis)
      if (chunk === undefined || chunk.done) {
        lines.end()
        break
      }
      lines.push(chunk.value)
      if (tooLong())
        return yield* failure(
          "InvalidOutput",
          `The worker at ${endpoint.url} sent a message of more than ${endpoint.maxMessageBytes} bytes; raise maxMessageBytes`
        )
    }
    const answered = answer()
    if (answered === undefined)
      return yield* new Broken({ reason: "it ended without an answer", reached: true })
    if ("result" in answered) return answered.result
    const error = yield* Effect.mapError(decodeError(answered.error), () =>
      failure(
        "InvalidOutput",
        `The worker at ${endpoint.url} answered with an error that is none of JSON-RPC`
      )
    )
    return yield* Protocol.fromRpcError(error)
  }).pipe(Effect.scoped)
