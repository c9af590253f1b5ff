import { hash } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import type { Entry, Event } from "@switchyard/core/Event"
import { LogDamaged } from "@switchyard/core/EventLog"
import { reasonOf } from "./fileSystem.js"

/** What stands in a line for an event that is too large for it: the SHA-256 of its JSON, in hex, and the length of that. */
export interface Reference {
  readonly sha256: string
  readonly bytes: number
}

/** The JSON of an event that is kept in a file of its own. */
export interface Payload extends Reference {
  readonly content: Buffer
}

/** The JSON of an event as a payload; the bytes must not change any more. */
export const payloadOf = (content: Buffer): Payload => ({
  sha256: hash("sha256", content),
  bytes: content.length,
  content
})

const isText = (value: unknown): value is string => typeof value === "string"

/** The reference that stands in the place of an event; `undefined` where the event itself is there. */
export const referenceOf = (event: object): Reference | undefined => {
  if (!("payload" in event)) return undefined
  const { payload } = event
  if (typeof payload !== "object" || payload === null) return undefined
  if (!("sha256" in payload) || !("bytes" in payload)) return undefined
  const { bytes, sha256 } = payload
  // It becomes the name of a file, so it must be nothing else.
  return isText(sha256) && /^[0-9a-f]{64}$/.test(sha256) && typeof bytes === "number"
    ? { sha256, bytes }
    : undefined
}

/** The directory of a log's payloads. */
export const payloadDirectory = (directory: string): string => path.join(directory, "payloads")

/** The file of a payload: its name is what its content has to hash to. */
export const payloadFile = (directory: string, sha256: string): string =>
  path.join(payloadDirectory(directory), `${sha256}.json`)

/** Reads the payload of an entry that stands in a segment, and checks its length and hash. */
export const readPayload = (
  segment: string,
  { seq }: Entry,
  { bytes, sha256 }: Reference
): Buffer | LogDamaged => {
  const file = payloadFile(path.dirname(segment), sha256)
  const damaged = (reason: string) =>
    new LogDamaged({
      segment: file,
      offset: 0,
      line: 1,
      reason: `it is the payload of entry ${seq} in ${path.basename(segment)}, but ${reason}`
    })
  let content: Buffer
  try {
    content = fs.readFileSync(file)
  } catch (error) {
    return damaged(reasonOf(error))
  }
  if (content.length !== bytes) return damaged(`it has ${content.length} bytes instead of ${bytes}`)
  return hash("sha256", content) === sha256 ? content : damaged("its content was changed")
}

/** The entry with the event that its line refers to. */
export const withPayload = (segment: string, entry: Entry, reference: Reference): Entry | LogDamaged => {
  const content = readPayload(segment, entry, reference)
  if (content instanceof LogDamaged) return content
  const event: Event = JSON.parse(content.toString())
  return { ...entry, event }
}
