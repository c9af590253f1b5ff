import type { ControlCommand } from "@switchyard/core/Command"
import type { Cycle } from "./plan.js"
import type { RunRequest } from "./workload.js"

/** What the parent asks of a host, a line of JSON each. */
export type Request =
  | {
      readonly t: "go"
      readonly directory: string
      readonly marker: string
      readonly cycle: Cycle
      /** The position after which to follow. */
      readonly after: number
      /** The last entry that is known to be durable. */
      readonly durable: number
    }
  | { readonly t: "register"; readonly run: RunRequest }
  | {
      readonly t: "command"
      readonly runId: string
      readonly id: string
      readonly command: ControlCommand
    }
  /** Raw events, told apart by their numbers, appended at once. */
  | { readonly t: "append"; readonly notes: ReadonlyArray<number> }
  | { readonly t: "finish" }

/** An entry as a follower has seen it: position, content, run, kind, and what it is about. */
export type Seen = readonly [seq: number, hash: string, runId: string, tag: string, about: string]

/** What a host reports, a line of JSON each, at the moment when it happens. */
export type Report =
  | { readonly t: "loaded" }
  | { readonly t: "ready" }
  | { readonly t: "notOpened"; readonly tag: string; readonly message: string }
  | { readonly t: "seen"; readonly entries: ReadonlyArray<Seen> }
  | { readonly t: "registered"; readonly id: string }
  | { readonly t: "accepted"; readonly id: string; readonly runId: string; readonly command: string }
  | {
      readonly t: "appended"
      readonly entries: ReadonlyArray<readonly [note: number, seq: number, hash: string]>
    }
  /** A typed error: `subject` is a run, a command, or the notes of an append. */
  | {
      readonly t: "refused"
      readonly what: "register" | "command" | "append"
      readonly subject: string
      readonly tag: string
      readonly message: string
    }
  /** An agent was called for an item. */
  | { readonly t: "call"; readonly item: string }
  | { readonly t: "ended"; readonly runId: string; readonly status: string }
  /** The disk begins to refuse. */
  | { readonly t: "fault"; readonly kind: string }
  /** The disk works again, and what it had interrupted was recovered. */
  | { readonly t: "recovered" }
  /** The host is about to die by its disk. */
  | { readonly t: "dying"; readonly where: string }
  /** Something that must never happen. */
  | { readonly t: "defect"; readonly message: string }
  | { readonly t: "finished" }
