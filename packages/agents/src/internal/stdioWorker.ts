import type { AgentError, Permissions, Progress } from "@switchyard/core/Agent"
import type * as Secrets from "@switchyard/core/Secrets"
import type { Workspace } from "@switchyard/core/WorkspaceService"
import * as Subprocess from "@switchyard/node/Subprocess"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import {
  createJSONRPCRequest,
  JSONRPCClient,
  type JSONRPCResponse,
  JSONRPCServer,
  JSONRPCServerAndClient
} from "json-rpc-2.0"
import * as Protocol from "../RemoteProtocol.js"
import { failure, whenInterrupted } from "./attempt.js"
import { makeLines, objectIn } from "./lines.js"
import {
  hello,
  missedHeartbeats,
  type Patience,
  readProgress,
  type WorkerConnection,
  welcome,
  within
} from "./workerConnection.js"

/** A worker that was started here. */
export interface StdioWorker extends WorkerConnection {
  /** Fails when the worker cannot be used any more, with the reason. */
  readonly died: Effect.Effect<never, AgentError>
  /** Whether it cannot be used any more. */
  readonly isDead: Effect.Effect<boolean>
}

/** What it takes to start a worker. */
export interface Start {
  readonly command: Subprocess.Command
  readonly workspace: Workspace
  readonly permissions: Permissions
  readonly name: string
  readonly secrets: Secrets.Provider
  readonly patience: Patience
}

const decodeError = Schema.decodeUnknown(Protocol.RpcError)

const resultOf = (response: JSONRPCResponse): Effect.Effect<unknown, AgentError> =>
  response.error === undefined
    ? Effect.succeed(response.result)
    : Effect.matchEffect(decodeError(response.error), {
        onFailure: () =>
          Effect.fail(failure("InvalidOutput", "The worker answered with an error that is none of JSON-RPC")),
        onSuccess: (error) => Effect.fail(Protocol.fromRpcError(error))
      })

/**
 * Starts a worker and says hello to it. It is dead when its program ends, when it sends a message that is too long, when it has
 * been silent for three heartbeats, and when it goes on with work that was cancelled; everything under way fails then.
 */
export const startWorker = ({
  command,
  name,
  patience,
  permissions,
  secrets,
  workspace
}: Start): Effect.Effect<StdioWorker, AgentError, Scope.Scope> =>
  Effect.gen(function* () {
    const death = yield* Deferred.make<never, AgentError>()
    const die = (error: AgentError) => Deferred.fail(death, error)
    const died = Deferred.await(death)
    const listeners = new Map<string, (progress: Progress) => void>()
    let heard = true

    const server = new JSONRPCServer({ errorListener: () => undefined })
    const client: JSONRPCClient = new JSONRPCClient((message) =>
      Effect.runPromise(program.write(`${JSON.stringify(message)}\n`))
    )
    const rpc = new JSONRPCServerAndClient(server, client, { errorListener: () => undefined })
    server.addMethod("heartbeat", () => null)
    server.addMethod("progress", (params) => {
      const read = readProgress(params)
      if (read !== undefined) listeners.get(read.key)?.(read.progress)
      return null
    })

    const lines = makeLines(
      patience.maxMessageBytes,
      (line) => {
        const message = objectIn(line)
        // Programs print banners and warnings between their messages.
        if (message?.jsonrpc !== "2.0") return
        heard = true
        rpc.receiveAndSend(message, undefined, undefined).catch(() => undefined)
      },
      () =>
        Effect.runSync(
          die(
            failure(
              "InvalidOutput",
              `The worker sent a message of more than ${patience.maxMessageBytes} bytes; raise maxMessageBytes, or pass large results as files`
            )
          )
        )
    )
    const program: Subprocess.Subprocess = yield* Subprocess.start(command, {
      workspace,
      permissions,
      idempotencyKey: `${workspace.runId}/worker/${name}`,
      name: `workers/${name}`,
      secrets,
      onStdout: async (chunk) => lines.push(chunk)
    })
    yield* Effect.forkScoped(Effect.catchTag(program.ended, "AgentError", die))

    let ids = 0
    const request = (method: string, params: object): Effect.Effect<unknown, AgentError> =>
      Effect.suspend(() => {
        const message = createJSONRPCRequest(`${++ids}`, method, params)
        return Effect.raceFirst(
          Effect.flatMap(
            Effect.promise(async () => rpc.requestAdvanced(message)),
            resultOf
          ),
          died
        )
      })

    const initialized = yield* request("initialize", hello(patience)).pipe(
      Effect.flatMap(welcome),
      within(patience.start, () =>
        failure(
          "Timeout",
          `The worker "${command.command}" did not answer initialize within ${patience.start} ms`
        )
      )
    )

    let silent = 0
    yield* Effect.sync(() => {
      silent = heard ? 0 : silent + 1
      heard = false
      rpc.notify("heartbeat", {}, undefined)
      return silent
    }).pipe(
      Effect.tap((missed) =>
        missed < missedHeartbeats
          ? Effect.void
          : die(
              failure(
                "Crashed",
                `The worker "${command.command}" gave no sign of life for ${missed} heartbeats`
              )
            )
      ),
      Effect.delay(patience.heartbeat),
      Effect.forever,
      Effect.forkScoped
    )

    const cancel = (key: string): Effect.Effect<void> =>
      request("cancel", { idempotencyKey: key }).pipe(
        within(patience.cancel, () =>
          failure("Crashed", `The worker "${command.command}" went on with work that was cancelled`)
        ),
        Effect.catchTag("AgentError", die)
      )

    return {
      died,
      isDead: Deferred.isDone(death),
      initialized: Effect.succeed(initialized),
      ping: request("ping", {}).pipe(
        within(patience.start, () => failure("Timeout", "The worker did not answer a ping"))
      ),
      run: (params, report) =>
        Effect.suspend(() => {
          listeners.set(params.idempotencyKey, report)
          return request("run", params)
        }).pipe(
          whenInterrupted(cancel(params.idempotencyKey)),
          Effect.ensuring(Effect.sync(() => listeners.delete(params.idempotencyKey))),
          Effect.flatMap(Protocol.decodeResult(Protocol.RunResult, "run"))
        )
    }
  })
