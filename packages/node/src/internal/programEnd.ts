import type { Output } from "@switchyard/core/Agent"
import { AgentError } from "@switchyard/core/Agent"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { type FailureRules, meaningOf } from "./failureRules.js"
import type { Exit } from "./processGroup.js"
import { exitError, failure } from "./programFailure.js"
import type { Reader } from "./programOutput.js"

/** A program that has ended, and everything that it said. */
export interface Ended {
  readonly command: string
  readonly exit: Exit
  /** How its standard output was read, which has ended. */
  readonly reader: Reader
  /** Where the standard output is as a whole. */
  readonly file: string
  /** The end of its standard error. */
  readonly complaint: string
  readonly retryableExitCodes: ReadonlyArray<number>
  readonly failures: FailureRules
}

const withUsage = (
  { kind, reason }: AgentError,
  reader: Reader,
  retryAfterMillis: number | undefined
): AgentError => {
  const usage = reader.usage()
  return new AgentError({
    kind,
    reason,
    ...(usage === undefined ? {} : { usage }),
    ...(retryAfterMillis === undefined ? {} : { retryAfterMillis })
  })
}

/** What was wrong with the characters of an output, in words. */
export const replacedCharacters = (file: string): string =>
  `The output has bytes that are not UTF-8; they are replaced here, and as they were in ${file}`

/** What the end of a program comes to: its result, or what its failure means by what it said, its exit code or its signal. */
export const outcome = (ended: Ended): Effect.Effect<Output, AgentError> =>
  Effect.gen(function* () {
    const { command, complaint, exit, failures, file, reader, retryableExitCodes } = ended
    const said = reader.error()
    const told = [said?.message ?? "", complaint].filter((each) => each !== "").join("\n")
    const byExit = exitError(command, retryableExitCodes, exit, told || reader.ending())
    if (byExit === undefined && said === undefined) return yield* reader.result(file, complaint)
    const error = byExit ?? failure("Failed", `The program "${command}" reported an error:\n${told}`)
    const note = reader.replaced() ? `\n${replacedCharacters(file)}` : ""
    // What it said before it was killed is not why it was killed.
    if (exit.signal !== null) {
      return yield* withUsage(failure(error.kind, error.reason + note), reader, undefined)
    }
    const now = yield* Clock.currentTimeMillis
    const { kind, retryAfterMillis } = meaningOf(failures, exit, said, [complaint, reader.ending()], now)
    const known = kind ?? (retryAfterMillis === undefined ? error.kind : "RateLimited")
    return yield* withUsage(failure(known, error.reason + note), reader, retryAfterMillis)
  })

/** An attempt that took longer than it may, with the end of what was said in it. */
export const timedOut = (command: string, allowed: string, reader: Reader, complaint: string): AgentError => {
  const said = complaint || reader.ending()
  return withUsage(
    failure(
      "Timeout",
      `The program "${command}" was ended because an attempt may take ${allowed}${said === "" ? "" : `:\n${said}`}`
    ),
    reader,
    undefined
  )
}
