import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http"
import type { AddressInfo, Socket } from "node:net"
import * as Effect from "effect/Effect"

/** The protocols that the server speaks. */
export type Protocol = "chat" | "responses" | "messages"

/** One request as it came, and when the other side hung up before it was answered. */
export interface Received {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: unknown
  /** Resolved when the connection is gone before the answer was complete. */
  readonly abandoned: Promise<void>
}

/** What the server does with a request. */
export type Act = (response: ServerResponse, socket: Socket) => void | Promise<void>

/** A server that does one act after the other, and the last one again and again. */
export interface ModelServer {
  readonly url: string
  readonly requests: ReadonlyArray<Received>
  readonly script: (...acts: ReadonlyArray<Act>) => void
}

/** A call of a tool in an answer. */
export interface AnsweredCall {
  readonly id: string
  readonly name: string
  readonly args: unknown
}

/** An answer, whatever the protocol. */
export interface Answer {
  readonly text?: ReadonlyArray<string>
  readonly calls?: ReadonlyArray<AnsweredCall>
  readonly stop?: "length" | "filter"
  readonly input?: number
  readonly output?: number
  readonly cached?: number
  readonly cacheWrite?: number
}

const event = (data: unknown, name?: string): string =>
  `${name === undefined ? "" : `event: ${name}\n`}data: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`

const argumentsOf = (args: unknown): string => (typeof args === "string" ? args : JSON.stringify(args))

/** A text in two pieces, so that nothing arrives whole. */
const halves = (text: string): ReadonlyArray<string> => [
  text.slice(0, text.length >> 1),
  text.slice(text.length >> 1)
]

const chat = ({ calls = [], input = 10, output = 5, cached = 0, stop, text = [] }: Answer) => {
  const chunk = (delta: object, finish: string | null = null) =>
    event({
      id: "chatcmpl-1",
      object: "chat.completion.chunk",
      created: 1,
      model: "served",
      choices: [{ index: 0, delta, finish_reason: finish, logprobs: null }],
      usage: null
    })
  const reason =
    stop === "length"
      ? "length"
      : stop === "filter"
        ? "content_filter"
        : calls.length > 0
          ? "tool_calls"
          : "stop"
  return [
    chunk({ role: "assistant", content: "" }),
    ...text.map((content) => chunk({ content })),
    ...calls.flatMap(({ args, id, name }, index) => {
      const [first, second] = halves(argumentsOf(args))
      return [
        chunk({ tool_calls: [{ index, id, type: "function", function: { name, arguments: first } }] }),
        chunk({ tool_calls: [{ index, function: { arguments: second } }] })
      ]
    }),
    chunk({}, reason),
    event({
      id: "chatcmpl-1",
      object: "chat.completion.chunk",
      choices: [],
      usage: {
        prompt_tokens: input + cached,
        completion_tokens: output,
        total_tokens: input + cached + output,
        prompt_tokens_details: { cached_tokens: cached }
      }
    }),
    event("[DONE]")
  ]
}

const responses = ({ calls = [], input = 10, output = 5, cached = 0, stop, text = [] }: Answer) => {
  let number = 0
  const said = (type: string, fields: object) => event({ type, sequence_number: number++, ...fields }, type)
  const response = (status: string, more: object = {}) => ({
    response: {
      id: "resp_1",
      object: "response",
      created_at: 1,
      status,
      model: "served",
      output: [],
      ...more
    }
  })
  const item = { id: "msg_1", type: "message", role: "assistant" }
  const at = { output_index: 0, content_index: 0, item_id: "msg_1" }
  return [
    said("response.created", response("in_progress")),
    said("response.in_progress", response("in_progress")),
    ...(text.length === 0
      ? []
      : [
          said("response.output_item.added", {
            output_index: 0,
            item: { ...item, status: "in_progress", content: [] }
          }),
          ...text.map((delta) =>
            said("response.output_text.delta", { ...at, delta, logprobs: [], obfuscation: "x" })
          ),
          said("response.output_text.done", { ...at, text: text.join("") }),
          said("response.output_item.done", {
            output_index: 0,
            item: { ...item, status: "completed", content: [] }
          })
        ]),
    ...calls.flatMap(({ args, id, name }, place) => {
      const call = { id: `fc_${id}`, type: "function_call", call_id: id, name }
      const output_index = place + 1
      return [
        said("response.output_item.added", {
          output_index,
          item: { ...call, status: "in_progress", arguments: "" }
        }),
        ...halves(argumentsOf(args)).map((delta) =>
          said("response.function_call_arguments.delta", { output_index, item_id: call.id, delta })
        ),
        said("response.output_item.done", {
          output_index,
          item: { ...call, status: "completed", arguments: argumentsOf(args) }
        })
      ]
    }),
    said(
      stop === undefined ? "response.completed" : "response.incomplete",
      response(stop === undefined ? "completed" : "incomplete", {
        incomplete_details:
          stop === undefined ? null : { reason: stop === "length" ? "max_output_tokens" : "content_filter" },
        usage: {
          input_tokens: input + cached,
          input_tokens_details: { cached_tokens: cached },
          output_tokens: output,
          output_tokens_details: { reasoning_tokens: 0 },
          total_tokens: input + cached + output
        }
      })
    )
  ]
}

const messages = ({
  calls = [],
  input = 10,
  output = 5,
  cached = 0,
  cacheWrite = 0,
  stop,
  text = []
}: Answer) => {
  const said = (type: string, fields: object = {}) => event({ type, ...fields }, type)
  const reason =
    stop === "length"
      ? "max_tokens"
      : stop === "filter"
        ? "refusal"
        : calls.length > 0
          ? "tool_use"
          : "end_turn"
  return [
    said("message_start", {
      message: {
        id: "msg_1",
        type: "message",
        role: "assistant",
        content: [],
        model: "served",
        stop_reason: null,
        stop_sequence: null,
        usage: {
          input_tokens: input,
          cache_read_input_tokens: cached,
          cache_creation_input_tokens: cacheWrite,
          output_tokens: 1,
          service_tier: "of the future"
        }
      }
    }),
    said("ping"),
    said("of_the_future", { anything: true }),
    ...(text.length === 0
      ? []
      : [
          said("content_block_start", { index: 0, content_block: { type: "text", text: "" } }),
          ...text.map((each) =>
            said("content_block_delta", { index: 0, delta: { type: "text_delta", text: each } })
          ),
          said("content_block_stop", { index: 0 })
        ]),
    ...calls.flatMap(({ args, id, name }, place) => [
      said("content_block_start", {
        index: place + 1,
        content_block: { type: "tool_use", id, name, input: {} }
      }),
      ...halves(argumentsOf(args)).map((partial_json) =>
        said("content_block_delta", { index: place + 1, delta: { type: "input_json_delta", partial_json } })
      ),
      said("content_block_stop", { index: place + 1 })
    ]),
    said("message_delta", {
      delta: { stop_reason: reason, stop_sequence: null },
      usage: { output_tokens: output }
    }),
    said("message_stop")
  ]
}

/** The events of an answer, each whole. */
export const eventsOf = (protocol: Protocol, answer: Answer): ReadonlyArray<string> =>
  ({ chat, responses, messages })[protocol](answer)

/** Begins a stream of events. */
export const begin = (response: ServerResponse): void => {
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" })
  response.flushHeaders()
}

/** Answers with events, each in a write of its own. */
export const answer =
  (protocol: Protocol, given: Answer): Act =>
  (response) => {
    begin(response)
    for (const each of eventsOf(protocol, given)) response.write(each)
    response.end()
  }

/** Answers with a text that is cut inside of its characters and line ends; each piece has left before the next one follows. */
export const inPieces =
  (text: string): Act =>
  async (response, socket) => {
    socket.setNoDelay(true)
    begin(response)
    let piece: Array<number> = []
    for (const byte of Buffer.from(text)) {
      piece.push(byte)
      if (byte < 0xc0 && byte !== 0x0a && byte !== 0x0d) continue
      response.write(Buffer.from(piece))
      piece = []
      await new Promise((resolve) => setImmediate(resolve))
    }
    response.end(Buffer.from(piece))
  }

/** Refuses with a status, JSON, and headers. */
export const refuse =
  (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Act =>
  (response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers })
    response.end(JSON.stringify(body))
  }

/** A server on a free port of this machine, which ends with the scope, whatever is still open. */
export const make = Effect.acquireRelease(
  Effect.promise(
    () =>
      new Promise<ModelServer & { readonly close: () => Promise<void> }>((resolve) => {
        const requests: Array<Received> = []
        let acts: Array<Act> = []
        const server = createServer((request, response) => {
          const chunks: Array<Buffer> = []
          request.on("data", (chunk: Buffer) => chunks.push(chunk))
          request.on("end", () => {
            const text = Buffer.concat(chunks).toString()
            requests.push({
              path: request.url ?? "",
              headers: request.headers,
              body: text === "" ? undefined : JSON.parse(text),
              abandoned: new Promise((gone) => {
                response.on("close", () => {
                  if (!response.writableFinished) gone()
                })
              })
            })
            const act = acts.length > 1 ? acts.shift() : acts[0]
            if (act === undefined) response.writeHead(500).end("nothing is scripted")
            else void act(response, request.socket)
          })
        })
        server.listen(0, "127.0.0.1", () => {
          const { port } = server.address() as AddressInfo
          resolve({
            url: `http://127.0.0.1:${port}`,
            requests,
            script: (...given) => {
              acts = [...given]
            },
            close: () =>
              new Promise((closed) => {
                server.close(() => closed())
                server.closeAllConnections()
              })
          })
        })
      })
  ),
  (server) => Effect.promise(server.close)
)
