import { type AnyMessage, type ClientContext, client, RequestError } from "@agentclientprotocol/sdk"
import type { AgentError, AgentErrorKind } from "@switchyard/core/Agent"
import type { Subprocess } from "@switchyard/node/Subprocess"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Requests } from "./acpRequests.js"
import { failure } from "./attempt.js"
import { promiseRunner, type RunPromise } from "./compat.js"

/** What was said so far by those who make limits, in words that mean one kind of failure. */
const kinds: ReadonlyArray<readonly [RegExp, AgentErrorKind]> = [
  [/rate.?limit|too many requests|\b429\b|overloaded/i, "RateLimited"],
  [/usage limit|quota|credit balance|insufficient.{0,10}(credit|fund)/i, "QuotaExhausted"],
  [/context (length|window)|prompt is too long|too many tokens/i, "ContextTooLong"],
  [/unauthori[sz]ed|api key|authenticat|logged? ?in/i, "Unauthorized"]
]

const kindOf = (code: number, message: string): AgentErrorKind => {
  if (code === -32000) return "Unauthorized"
  const known = kinds.find(([pattern]) => pattern.test(message))?.[1]
  return known ?? (code === -32602 ? "InvalidInput" : "Failed")
}

const detailOf = (data: unknown): string => {
  if (typeof data === "string") return data
  if (typeof data !== "object" || data === null) return ""
  const { details, message } = data as { readonly details?: unknown; readonly message?: unknown }
  return typeof details === "string" ? details : typeof message === "string" ? message : ""
}

/** What an agent refused, or what it did not say right. */
export const fromRefusal =
  (what: string) =>
  (error: unknown): AgentError => {
    if (!(error instanceof RequestError) && !(error instanceof Error))
      return failure("Failed", `The agent failed at ${what}: ${String(error)}`)
    const said = error instanceof RequestError ? detailOf(error.data) : ""
    const message = [error.message, said]
      .filter((each) => each !== "")
      .join(": ")
      .slice(0, 4000)
    if (!(error instanceof RequestError))
      return failure(
        "InvalidOutput",
        `The agent answered ${what} with something else than the protocol says: ${message}`
      )
    return failure(kindOf(error.code, message), `The agent failed at ${what}: ${message}`)
  }

/** Messages of the agent, fed from outside. */
export interface Inbox {
  readonly deliver: (message: AnyMessage) => void
}

const answering =
  (run: RunPromise) =>
  <A>(effect: Effect.Effect<A, RequestError>): Promise<A> =>
    run(
      Effect.match(effect, {
        onFailure: (error) => ({ error }) as const,
        onSuccess: (value) => ({ value }) as const
      })
    ).then((answer) => {
      if ("error" in answer) throw answer.error
      return answer.value
    })

/** Connects to an agent whose messages are delivered to the inbox that comes with the connection. */
export const connect = (
  program: Pick<Subprocess, "write">,
  requests: Requests
): Effect.Effect<{ readonly agent: ClientContext; readonly inbox: Inbox }, never, Scope.Scope> =>
  Effect.gen(function* () {
    const run = yield* promiseRunner
    const answer = answering(run)
    let inbox: ReadableStreamDefaultController<AnyMessage> | undefined
    const readable = new ReadableStream<AnyMessage>({
      start: (controller) => {
        inbox = controller
      }
    })
    const writable = new WritableStream<AnyMessage>({
      // What cannot be written any more is found where the end of the program is.
      write: (message) => run(Effect.ignore(program.write(`${JSON.stringify(message)}\n`)))
    })
    const app = client({ name: "switchyard" })
      .onRequest("fs/read_text_file", ({ params }) => answer(requests.read(params)))
      .onRequest("fs/write_text_file", async ({ params }) => {
        await answer(requests.write(params))
        return {}
      })
      .onRequest("session/request_permission", ({ params }) => answer(requests.permit(params)))
    const connection = yield* Effect.acquireRelease(
      Effect.sync(() => app.connect({ readable, writable })),
      (each) => Effect.sync(() => each.close())
    )
    return { agent: connection.agent, inbox: { deliver: (message) => inbox?.enqueue(message) } }
  })
