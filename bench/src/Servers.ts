import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import * as fs from "node:fs"
import * as net from "node:net"
import * as path from "node:path"

/** A database server of our own in a directory of our own, or in words why there is none. */
export type Server = { readonly url: string; readonly stop: () => Promise<void> } | string

const find = (program: string, elsewhere: ReadonlyArray<string>): string | undefined =>
  [...(process.env.PATH ?? "").split(path.delimiter), ...elsewhere]
    .map((directory) => path.join(directory, program))
    .find((file) => fs.existsSync(file))

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = net.createServer().on("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0))
    })
  })

const connects = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1")
    const answer = (value: boolean) => {
      socket.destroy()
      resolve(value)
    }
    socket.on("connect", () => answer(true)).on("error", () => answer(false))
  })

const serve = async (
  name: string,
  child: ChildProcess,
  port: number,
  url: string,
  signal: NodeJS.Signals
): Promise<Server> => {
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()))
  const kill = () => void child.kill("SIGKILL")
  process.once("exit", kill)
  child.once("exit", () => process.off("exit", kill))
  for (let tries = 0; tries < 100; tries++) {
    if (child.exitCode !== null) return `not available: ${name} ended with code ${child.exitCode}`
    if (await connects(port)) {
      return {
        url,
        stop: async () => {
          child.kill(signal)
          await ended
        }
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  kill()
  return `not available: ${name} does not answer`
}

/** Postgres refuses to run as root; the account that its package makes is used then, or that of nobody. */
const account = (): { readonly uid: number; readonly gid: number } | undefined => {
  if (process.getuid?.() !== 0) return undefined
  for (const name of ["postgres", "nobody"]) {
    try {
      const id = (flag: string) => Number(execFileSync("id", [flag, name], { stdio: "pipe" }).toString())
      return { uid: id("-u"), gid: id("-g") }
    } catch {
      // The next one may be there.
    }
  }
  return undefined
}

/** Starts a Postgres with its default settings, which sync every commit. */
export const startPostgres = async (directory: string): Promise<Server> => {
  const debian = "/usr/lib/postgresql"
  const versions = fs.existsSync(debian) ? fs.readdirSync(debian).sort().reverse() : []
  const elsewhere = versions.map((version) => path.join(debian, version, "bin"))
  const [initdb, postgres] = [find("initdb", elsewhere), find("postgres", elsewhere)]
  if (initdb === undefined || postgres === undefined) return "not available: there is no postgres to start"
  const data = path.join(directory, "postgres")
  const identity = account()
  try {
    fs.mkdirSync(data, { mode: 0o700 })
    if (identity !== undefined) {
      fs.chmodSync(directory, 0o711)
      fs.chownSync(data, identity.uid, identity.gid)
    }
    execFileSync(initdb, ["-D", data, "-U", "bench", "-A", "trust", "-E", "UTF8", "--no-sync"], {
      ...identity,
      cwd: data,
      stdio: "pipe"
    })
  } catch (error) {
    return `not available: initdb failed; ${error instanceof Error ? error.message.split("\n")[0] : error}`
  }
  const port = await freePort()
  const child = spawn(
    postgres,
    [
      "-D",
      data,
      "-p",
      String(port),
      "-c",
      "listen_addresses=127.0.0.1",
      "-c",
      `unix_socket_directories=${data}`
    ],
    { ...identity, cwd: data, stdio: "ignore" }
  )
  return serve("postgres", child, port, `postgresql://bench@127.0.0.1:${port}/postgres`, "SIGINT")
}

/** Starts a Redis that syncs its append-only file after every batch of commands before it answers. */
export const startRedis = async (directory: string): Promise<Server> => {
  const redis = find("redis-server", [])
  if (redis === undefined) return "not available: there is no redis-server to start"
  const data = path.join(directory, "redis")
  fs.mkdirSync(data)
  const port = await freePort()
  const settings = { bind: "127.0.0.1", dir: data, appendonly: "yes", appendfsync: "always", save: "" }
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value])
  const child = spawn(redis, ["--port", String(port), ...args], { stdio: "ignore" })
  return serve("redis-server", child, port, `redis://127.0.0.1:${port}`, "SIGTERM")
}
