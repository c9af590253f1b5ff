import { parseArgs } from "node:util"
import { serveHttp } from "./http.js"
import { serveStdio } from "./stdio.js"

const { values } = parseArgs({
  options: { http: { type: "string" }, host: { type: "string", default: "127.0.0.1" } }
})

if (values.http === undefined) {
  serveStdio()
} else {
  const token = process.env.WORKER_TOKEN ?? ""
  if (token === "") {
    console.error("Set WORKER_TOKEN to the token that hosts have to send.")
    process.exit(2)
  }
  serveHttp(values.host, Number(values.http), token)
}
