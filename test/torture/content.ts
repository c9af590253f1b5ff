import { createHash } from "node:crypto"

/** What an entry says, without its position, as both sides of a pipe can compare it. */
export interface Content {
  readonly time: number
  readonly runId: string
  readonly runSeq: number
  readonly event: object
}

const sorted = (_: string, value: unknown): unknown =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value

/** A short text that is the same for the same content only. */
export const hashOf = ({ event, runId, runSeq, time }: Content): string =>
  createHash("sha256")
    .update(JSON.stringify({ event, runId, runSeq, time }, sorted))
    .digest("base64url")
    .slice(0, 12)

/** The item, the command or the step that an event is about, or its reason. */
export const aboutOf = (event: object): string => {
  if ("commandId" in event) return String(event.commandId)
  if ("stepId" in event && "index" in event) return `${event.stepId}/${event.index}`
  if ("reason" in event) return String(event.reason)
  return "stepId" in event ? String(event.stepId) : ""
}
