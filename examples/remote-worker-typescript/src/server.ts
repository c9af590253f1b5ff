import { JSONRPCErrorException, JSONRPCServer } from "json-rpc-2.0"
import { agents } from "./agents.js"
import { Runs } from "./Runs.js"

/** The version of the protocol that this worker speaks. */
const protocolVersion = 1

/** Who asks: what is sent back on the way, and when nobody listens any more. */
export interface Session {
  readonly notify: (method: string, params: object) => void
  readonly gone: AbortSignal
  /** Called when the host said how often it wants to hear of this worker. */
  readonly onInitialized?: (heartbeatMillis: number) => void
}

/** The methods of the protocol, whatever they come over. */
export const makeServer = (): JSONRPCServer<Session> => {
  const runs = new Runs(agents)
  const server = new JSONRPCServer<Session>({ errorListener: () => undefined })
  server.addMethod("initialize", (params, { onInitialized }) => {
    if (params.protocolVersion !== protocolVersion)
      throw new JSONRPCErrorException(
        `this worker speaks version ${protocolVersion} of the protocol, not ${params.protocolVersion}`,
        -32003,
        { supported: [protocolVersion] }
      )
    onInitialized?.(params.heartbeatMillis)
    return {
      protocolVersion,
      worker: { name: "remote-worker-typescript", version: "1.0.0" },
      agents: agents.map(({ capabilities, description, name }) => ({ name, description, capabilities }))
    }
  })
  server.addMethod("ping", () => ({}))
  server.addMethod("heartbeat", () => null)
  server.addMethod("run", (params, { gone, notify }) =>
    runs.run(params, (progress) => notify("progress", progress), gone)
  )
  server.addMethod("attach", (params, { gone, notify }) =>
    runs.attach(params, (progress) => notify("progress", progress), gone)
  )
  server.addMethod("cancel", (params) => runs.cancel(params))
  server.mapErrorToJSONRPCErrorResponse = (id, error) => ({
    jsonrpc: "2.0",
    id,
    error:
      error instanceof JSONRPCErrorException
        ? error.toObject()
        : { code: -32602, message: `the parameters are not what the protocol says: ${error}` }
  })
  return server
}
