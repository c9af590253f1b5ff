import { AgentError, type AgentErrorKind } from "@switchyard/core/Agent"
import type { Exit, SpawnFailed } from "./processGroup.js"
import { notInstalled } from "./terminal.js"

/** A failed attempt, in one call. */
export const failure = (kind: AgentErrorKind, reason: string): AgentError => new AgentError({ kind, reason })

/** What it means that the operating system did not start a program, and what to do about it. */
export const spawnError = (command: string, error: Pick<SpawnFailed, "code" | "reason">): AgentError => {
  switch (error.code) {
    case "ENOENT":
    case "ENOTDIR":
      return failure(
        "NotFound",
        `The program "${command}" was not found; install it, or correct its path or PATH`
      )
    case "EACCES":
    case "EPERM":
    case "ENOEXEC":
      return failure(
        "NotFound",
        `The program "${command}" was found, but this user may not execute it (${error.code})`
      )
    case notInstalled:
      return failure("NotFound", `The program "${command}" is to run in a terminal, but ${error.reason}`)
    case "E2BIG":
      return failure("InvalidInput", `The input is too long for an argument; use prompt: "stdin" or "file"`)
    case "ERR_INVALID_ARG_VALUE":
      return failure("InvalidInput", `The input cannot be an argument: ${error.reason}`)
    case "EAGAIN":
    case "ENOMEM":
    case "EMFILE":
    case "ENFILE":
      return failure("Unavailable", `The host cannot start "${command}" now: ${error.reason}`)
    default:
      return failure("Failed", `The program "${command}" was not started: ${error.reason}`)
  }
}

/** What the end of a program means, with the end of what it `said`; `undefined` where it ended well. */
export const exitError = (
  command: string,
  retryableExitCodes: ReadonlyArray<number>,
  exit: Exit,
  said: string
): AgentError | undefined => {
  const name = `The program "${command}"`
  const detail = said === "" ? "; it said nothing" : `:\n${said}`
  if (exit.signal !== null) return failure("Crashed", `${name} was ended by ${exit.signal}${detail}`)
  if (exit.code === null || exit.code === 0) return undefined
  if (retryableExitCodes.includes(exit.code)) {
    return failure("Unavailable", `${name} asked to be run again later (exit code ${exit.code})${detail}`)
  }
  if (exit.code === 127) return failure("NotFound", `${name} did not find a program (exit code 127)${detail}`)
  if (exit.code === 126) {
    return failure("NotFound", `${name} found a program that cannot be executed (exit code 126)${detail}`)
  }
  return failure("Failed", `${name} failed with exit code ${exit.code}${detail}`)
}
