/**
 * What the stand-ins of coding tools have in common: how they are asked for a scenario, and how they write. The prompt ends with
 * `scenario: <name>`.
 */
import { spawn } from "node:child_process"
import { writeFileSync, writeSync } from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"

export const readInput = async () => {
  const chunks = []
  for await (const chunk of process.stdin) chunks.push(chunk)
  return Buffer.concat(chunks).toString("utf8")
}

export const refuse = (message, code = 1) => {
  process.stderr.write(`${message}\n`)
  process.exit(code)
}

/** Writes all of it at once, however long it takes the reader. */
const write = (bytes) => {
  let at = 0
  while (at < bytes.length) {
    try {
      at += writeSync(1, bytes, at)
    } catch (error) {
      if (error.code !== "EAGAIN") throw error
    }
  }
}

const polite = "for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => {});"

const stubborn = async () => {
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(name, () => {})
  spawn(process.execPath, ["-e", `${polite} setInterval(() => {}, 1000)`], { stdio: "inherit" })
  await sleep(60_000)
}

/**
 * Plays a scenario. `lines` are what the tool writes when all goes well; `noise(bytes)` is a line of it that says nothing, of
 * about so many bytes; `failures` are the scenarios that end otherwise, as `{ lines, stderr, code }`.
 */
export const play = async (prompt, { failures, lines, noise }) => {
  const [, scenario = "well"] = /scenario: (\w+)\s*$/.exec(prompt) ?? []
  const line = (text) => Buffer.from(`${text}\n`)
  const failure = failures[scenario]
  if (failure !== undefined) {
    for (const each of failure.lines ?? []) write(line(each))
    if (failure.stderr !== undefined) process.stderr.write(`${failure.stderr}\n`)
    process.exitCode = failure.code
    return
  }
  writeFileSync("answer.txt", "written where the tool runs\n")
  const half = Math.ceil(lines.length / 2)
  switch (scenario) {
    case "well":
      for (const each of lines) write(line(each))
      return
    case "partial": {
      const bytes = Buffer.concat(lines.map(line))
      for (let at = 0; at < bytes.length; at += 7) {
        write(bytes.subarray(at, at + 7))
        if (at % 70 === 0) await sleep(1)
      }
      return
    }
    case "huge":
      for (let i = 0; i < 100; i++) write(line(noise(80_000)))
      write(line(noise(3_000_000)))
      for (const each of lines) write(line(each))
      return
    case "slow":
      await sleep(700)
      for (const each of lines) write(line(each))
      return
    case "stubborn":
      for (const each of lines.slice(0, half)) write(line(each))
      return stubborn()
    case "invalid":
      for (const each of lines) write(Buffer.from(`${each}\n`.replaceAll("é", "\xff"), "latin1"))
      return
    case "crash":
      for (const each of lines.slice(0, half)) write(line(each))
      write(Buffer.from(lines[half].slice(0, 20)))
      process.kill(process.pid, "SIGSEGV")
      return sleep(1000)
    case "truncated":
      for (const each of lines.slice(0, -1)) write(line(each))
      process.stderr.write("the connection was lost\n")
      return
    default:
      refuse(`there is no scenario ${scenario}`, 99)
  }
}

export const json = (records) => records.map((each) => JSON.stringify(each))

/** The value of an option, as `--model x`. */
export const option = (name) => {
  const at = process.argv.indexOf(name)
  return at < 0 ? undefined : process.argv[at + 1]
}

export const filler = (bytes) => "x".repeat(bytes)
