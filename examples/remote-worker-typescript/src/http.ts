import { createHash, timingSafeEqual } from "node:crypto"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { createJSONRPCErrorResponse, createJSONRPCNotification, type JSONRPCRequest } from "json-rpc-2.0"
import { makeServer } from "./server.js"

const maxBytes = 16 * 1024 * 1024

const digest = (text: string) => createHash("sha256").update(text).digest()

/** Why a request is not read at all, as the status that it is answered with. */
const refused = (request: IncomingMessage, token: string): number | undefined => {
  // A page in a browser must not speak to this worker.
  if (request.headers.origin !== undefined) return 403
  const given = request.headers.authorization ?? ""
  if (!timingSafeEqual(digest(given), digest(`Bearer ${token}`))) return 401
  if (request.url !== "/") return 404
  if (request.method !== "POST") return 405
  if (!/^application\/json\b/.test(request.headers["content-type"] ?? "")) return 415
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) return 413
  return undefined
}

const bodyOf = async (request: IncomingMessage): Promise<string | undefined> => {
  const chunks: Array<Buffer> = []
  let bytes = 0
  for await (const chunk of request) {
    bytes += chunk.length
    if (bytes > maxBytes) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString("utf8")
}

const heartbeatOf = (message: JSONRPCRequest): number => {
  const millis = Number(message.params?.heartbeatMillis)
  return millis >= 10 ? millis : 5000
}

/** Serves hosts over HTTP: a request is a message, and the answer a message per line, of which the last one is the response. */
export const serveHttp = (host: string, port: number, token: string): void => {
  const server = makeServer()

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const status = refused(request, token)
    if (status !== undefined) {
      response.writeHead(status, { connection: "close" }).end()
      return
    }
    const body = await bodyOf(request)
    if (body === undefined) {
      response.writeHead(413, { connection: "close" }).end()
      return
    }
    const send = (message: object) => {
      if (response.destroyed) return
      // Progress is cumulative, so a host that reads slowly misses nothing but the steps in between.
      if (!response.writableNeedDrain || !("method" in message))
        response.write(`${JSON.stringify(message)}\n`)
    }
    response.writeHead(200, { "content-type": "application/x-ndjson" })
    let message: JSONRPCRequest
    try {
      message = JSON.parse(body)
    } catch {
      send(createJSONRPCErrorResponse(null, -32700, "this is not JSON"))
      response.end()
      return
    }
    const gone = new AbortController()
    const notify = (method: string, params: object) => send(createJSONRPCNotification(method, params))
    const beating = ["run", "attach"].includes(message.method)
    if (beating) notify("heartbeat", {})
    const heart = setInterval(() => notify("heartbeat", {}), heartbeatOf(message))
    response.on("close", () => {
      clearInterval(heart)
      gone.abort()
    })
    const answered = await server.receive(message, { notify, gone: gone.signal })
    if (answered !== null) send(answered)
    response.end()
  }

  const http = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy())
  })
  http.listen(port, host, () => {
    const { address, port: bound } = http.address() as AddressInfo
    console.log(`listening on http://${address}:${bound}/`)
  })
  process.on("SIGTERM", () => process.exit(0))
}
