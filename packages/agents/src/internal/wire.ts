import * as Sse from "@effect/experimental/Sse"
import * as HttpClient from "@effect/platform/HttpClient"
import { RequestError, ResponseError } from "@effect/platform/HttpClientError"
import type { HttpClientResponse } from "@effect/platform/HttpClientResponse"
import { AgentError } from "@switchyard/core/Agent"
import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Tokens } from "../PriceTable.js"
import { currentTimeMillis } from "./compat.js"
import type { Dialect } from "./dialects.js"
import { refused } from "./providerFailure.js"

/**
 * What was seen of the request that is under way where it is still bytes: libraries of models skip what they do not understand,
 * and say nothing of usage before the end.
 */
export interface Wire {
  /** Why there is no whole answer, where that showed. */
  failure: AgentError | undefined
  /** What the request has used so far. */
  usage: Tokens | undefined
  /** Called whenever `usage` has changed. */
  onUsage: () => void
}

/** Nothing was seen. */
export const makeWire = (): Wire => ({ failure: undefined, usage: undefined, onUsage: () => undefined })

/** How requests are made. */
export interface WireOptions {
  /** The model as a sentence names it. */
  readonly who: string
  readonly dialect: Dialect
  /** The longest silence that is waited for, in milliseconds. */
  readonly stallMillis: number
}

const unavailable = (who: string, why: string): AgentError =>
  new AgentError({ kind: "Unavailable", reason: `${who} ${why}` })

/** Splits a stream into events and gives those that are passed on, each whole; throws the error that ends it. */
const makeReader = (wire: Wire, { dialect, who }: WireOptions, now: () => number) => {
  const decoder = new TextDecoder()
  let ended = false
  let held = ""
  let events: Array<string> = []
  const read = (data: string): void => {
    if (data === "[DONE]") {
      ended = true
      events.push(data)
      return
    }
    let event: unknown
    try {
      event = JSON.parse(data)
    } catch {
      throw unavailable(who, `sent what is no JSON in its answer: ${data.slice(0, 80)}`)
    }
    if (typeof event !== "object" || event === null) throw unavailable(who, "sent an event that is no object")
    const note = dialect(event as Readonly<Record<string, unknown>>, wire.usage)
    if (note.usage !== undefined) {
      wire.usage = note.usage
      wire.onUsage()
    }
    if (note.ended === true) ended = true
    if (note.error !== undefined) throw refused(who, { body: note.error }, now())
    if (note.forward !== undefined) events.push(JSON.stringify(note.forward))
  }
  const parser = Sse.makeParser((event) => {
    if (event._tag === "Event") read(event.data)
  })
  const feed = (text: string): ReadonlyArray<string> => {
    // A line may end with two characters that arrive apart.
    const whole = held + text
    held = whole.endsWith("\r") ? "\r" : ""
    const lines = (held === "" ? whole : whole.slice(0, -1)).replace(/\r\n?/g, "\n")
    // The parser looks through all that it is given for each line of it.
    for (const line of lines.split(/(?<=\n)/)) {
      if (parser.feed(line) !== undefined) throw unavailable(who, "sent an event that is too large")
    }
    const out = events
    events = []
    return out
  }
  return {
    push: (bytes: Uint8Array): ReadonlyArray<string> => feed(decoder.decode(bytes, { stream: true })),
    /** The end of the stream, which also ends the last event. */
    end: (): ReadonlyArray<string> => {
      const out = feed(`${decoder.decode()}\n\n`)
      if (!ended) throw unavailable(who, "broke off its answer: the stream ended before it was complete")
      return out
    }
  }
}

const encoder = new TextEncoder()

const observed = (
  response: HttpClientResponse,
  wire: Wire,
  options: WireOptions,
  now: () => number
): HttpClientResponse => {
  const { stallMillis, who } = options
  const fail = (failure: AgentError): ResponseError => {
    wire.failure ??= failure
    return new ResponseError({
      request: response.request,
      response: quiet,
      reason: "Decode",
      description: failure.reason
    })
  }
  const stalled = () =>
    fail(new AgentError({ kind: "Timeout", reason: `${who} sent nothing for ${stallMillis} ms` }))
  const step = (read: () => ReadonlyArray<string>) =>
    Effect.try({
      try: () => Chunk.fromIterable(read().map((event) => encoder.encode(`data: ${event}\n\n`))),
      catch: (error) => fail(error instanceof AgentError ? error : unavailable(who, String(error)))
    })
  const events = Stream.suspend(() => {
    const reader = makeReader(wire, options, now)
    return response.stream.pipe(
      Stream.mapError(() =>
        fail(unavailable(who, "broke off its answer: the connection ended before it was complete"))
      ),
      Stream.timeoutFail(stalled, stallMillis),
      Stream.mapEffect((bytes) => step(() => reader.push(bytes))),
      Stream.concat(Stream.fromEffect(Effect.suspend(() => step(reader.end)))),
      Stream.flattenChunks
    )
  })
  // What a refusal says is worth less than its status, which is known.
  const bounded = <A>(body: Effect.Effect<A, ResponseError>, otherwise: A) =>
    Effect.flatMap(
      Effect.timeoutOption(body, stallMillis),
      Option.match({
        onNone: () => (response.status < 300 ? Effect.fail(stalled()) : Effect.succeed(otherwise)),
        onSome: Effect.succeed
      })
    )
  // What is wrong is known already, and the body cannot be read another time to say more.
  const quiet: HttpClientResponse = Object.create(response, {
    headers: { value: {} },
    text: { get: () => Effect.succeed("") }
  })
  return Object.create(response, {
    stream: { get: () => events },
    text: { get: () => bounded(response.text, "") },
    json: { get: () => bounded(response.json, null) }
  })
}

/**
 * A client whose streams of events are checked event by event before anybody else sees them: each is JSON, none is an error, the
 * last one is there, and no silence is longer than it may be. What goes wrong is in `wire`.
 */
export const checked =
  (wire: Wire, options: WireOptions) =>
  (client: HttpClient.HttpClient): HttpClient.HttpClient =>
    HttpClient.transform(client, (execute, request) =>
      Effect.flatMap(Clock.clockWith(Effect.succeed), (clock) =>
        Effect.flatMap(Effect.timeoutOption(execute, options.stallMillis), (found) => {
          if (Option.isSome(found))
            return Effect.succeed(observed(found.value, wire, options, () => currentTimeMillis(clock)))
          const reason = `${options.who} did not begin to answer within ${options.stallMillis} ms`
          wire.failure ??= new AgentError({ kind: "Timeout", reason })
          return Effect.fail(new RequestError({ request, reason: "Transport", description: reason }))
        })
      )
    )
