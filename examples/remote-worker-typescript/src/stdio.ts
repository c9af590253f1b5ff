import { createInterface } from "node:readline"
import { createJSONRPCErrorResponse, createJSONRPCNotification } from "json-rpc-2.0"
import { makeServer } from "./server.js"

/** After how many heartbeats without a word the host counts as gone. */
const missing = 20

/** Serves one host over the standard streams, one message per line; the worker ends when its input does. */
export const serveStdio = (): void => {
  const server = makeServer()
  const send = (message: object) => process.stdout.write(`${JSON.stringify(message)}\n`)
  const notify = (method: string, params: object) => send(createJSONRPCNotification(method, params))
  let silent = 0
  const onInitialized = (heartbeatMillis: number) => {
    setInterval(() => {
      if (++silent > missing) process.exit(1)
      notify("heartbeat", {})
    }, heartbeatMillis)
  }
  const session = { notify, gone: new AbortController().signal, onInitialized }
  createInterface({ input: process.stdin })
    .on("line", (line) => {
      silent = 0
      let message: unknown
      try {
        message = JSON.parse(line)
      } catch {
        send(createJSONRPCErrorResponse(null, -32700, "this is not JSON"))
        return
      }
      Promise.resolve(server.receive(message as Parameters<typeof server.receive>[0], session)).then(
        (response) => {
          if (response !== null) send(response)
        }
      )
    })
    .on("close", () => process.exit(0))
}
