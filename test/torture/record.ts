import type { ControlCommand } from "@switchyard/core/Command"
import type { Report, Seen } from "./messages.js"
import type { Published } from "./onlooker.js"
import type { RunRequest } from "./workload.js"

/** A command as the parent sent it, and what it was told about it. */
export interface SentCommand {
  readonly runId: string
  readonly id: string
  readonly command: ControlCommand
  answer: "none" | "accepted" | "refused"
}

/** A run as the parent knows it. */
export interface KnownRun {
  readonly request: RunRequest
  acknowledged: boolean
  ended: boolean
  paused: boolean
  cancelled: boolean
  /** Whether it waits for somebody to send it on, because its hosts died again and again. */
  parked: boolean
  /** The steps that wait, as far as is known. */
  readonly waiting: Set<string>
  /** The command that was last sent to answer each step that waits. */
  readonly answers: Map<string, string>
}

/** A raw entry by its number: where it was acknowledged to be, or that it is not there. */
export interface SentNote {
  readonly note: number
  answer: "none" | "refused" | { readonly seq: number; readonly hash: string }
}

/** What the parent was told; nothing in it is taken from the files. */
export interface Record {
  readonly runs: Map<string, KnownRun>
  readonly commands: Map<string, SentCommand>
  readonly notes: Map<number, SentNote>
  /** What followers and onlookers have seen, by position. */
  readonly seen: Map<number, string>
  /** The last position that is known to be durable. */
  readonly durable: () => number
  /** The last position that a follower has seen. */
  readonly followed: () => number
  readonly violations: Array<string>
  /** Takes a report of the host that follows after a position. */
  readonly hear: (report: Report) => void
  /** Takes what an onlooker in another process has found published. */
  readonly look: (published: Published | undefined) => void
  /** Another host begins, which follows after a position; `certain` while what it refuses is surely not in the log. */
  readonly begin: (after: number, certain: boolean) => void
}

/** Knows nothing as yet. */
export const makeRecord = (): Record => {
  const runs = new Map<string, KnownRun>()
  const commands = new Map<string, SentCommand>()
  const notes = new Map<number, SentNote>()
  const seen = new Map<number, string>()
  const completed = new Set<string>()
  const violations: Array<string> = []
  let durable = 0
  let followed = 0
  let furthest = 0
  let certain = true

  const remember = (seq: number, hash: string): void => {
    durable = Math.max(durable, seq)
    const before = seen.get(seq)
    if (before !== undefined && before !== hash) violations.push(`entry ${seq} was another one before`)
    seen.set(seq, hash)
  }

  const see = ([seq, hash, runId, tag, about]: Seen): void => {
    if (seq !== followed + 1) violations.push(`a follower got entry ${seq} after entry ${followed}`)
    followed = seq
    furthest = Math.max(furthest, seq)
    remember(seq, hash)
    if (tag === "ItemCompleted") completed.add(`${runId}/${about}`)
    const run = runs.get(runId)
    if (run === undefined) return
    run.parked = tag === "RunInterrupted" && about.includes("send Resume")
    if (tag === "RunCompleted" || tag === "RunFailed" || tag === "RunCancelled") run.ended = true
    if (tag === "StepWaiting") run.waiting.add(about)
    if (tag === "StepCompleted" || tag === "StepFailed" || tag === "StepCancelled") run.waiting.delete(about)
    if (tag === "PauseRequested") run.paused = true
    if (tag === "ResumeRequested") run.paused = false
    if (tag === "CancelRequested") run.cancelled = true
  }

  const refuse = ({ message, subject, tag, what }: Extract<Report, { readonly t: "refused" }>): void => {
    if (tag === "") violations.push(`an error without a name: ${message}`)
    // The answer of a broken disk says nothing of what was asked.
    if (what === "append" && certain) {
      for (const note of subject.split(",")) {
        const sent = notes.get(Number(note))
        if (sent !== undefined) sent.answer = "refused"
      }
    }
    if (what !== "command" || tag === "LogWriteFailed" || tag === "CommandConflict") return
    const sent = commands.get(subject)
    if (sent?.answer === "accepted") {
      violations.push(`command ${subject} was accepted, and refused later: ${message}`)
    } else if (sent !== undefined) sent.answer = "refused"
  }

  const hear = (report: Report): void => {
    switch (report.t) {
      case "seen":
        report.entries.forEach(see)
        break
      case "registered": {
        const run = runs.get(report.id)
        if (run !== undefined) run.acknowledged = true
        break
      }
      case "accepted": {
        const sent = commands.get(report.id)
        if (sent !== undefined && sent.command._tag !== report.command) {
          violations.push(`command ${report.id} was accepted again with another content`)
        }
        if (sent !== undefined) sent.answer = "accepted"
        break
      }
      case "appended":
        for (const [note, seq, hash] of report.entries) {
          durable = Math.max(durable, seq)
          const sent = notes.get(note)
          if (sent !== undefined) sent.answer = { seq, hash }
        }
        break
      case "refused":
        refuse(report)
        break
      case "call":
        if (completed.has(report.item)) violations.push(`${report.item} was done again after it was recorded`)
        break
      case "defect":
        violations.push(`a host had a defect: ${report.message}`)
        break
      default:
    }
  }

  return {
    runs,
    commands,
    notes,
    seen,
    violations,
    hear,
    look: (published) => {
      if (published === undefined) return
      if ("wrong" in published) violations.push(published.wrong)
      else remember(published.seq, published.hash)
    },
    durable: () => durable,
    followed: () => furthest,
    begin: (after, isCertain) => {
      followed = after
      certain = isCertain
    }
  }
}
