import { byPlace, type Place, type Waiting, type WaitingFilter } from "@switchyard/core/WaitingStep"
import * as Effect from "effect/Effect"
import type { Ask } from "./indexConnection.js"
import { waitingRowOf } from "./rows.js"
import { anybody, type Facet, facets, named, waitIndex } from "./tables.js"

/** Every kind of waiting has a place of its own in the indexes. */
export const kinds: ReadonlyArray<Waiting["for"]> = ["approval", "time", "signal"]

/** The rows of the waiting steps that one of these statements finds; `w` has them in their order. */
const ofKind = (by: ReadonlyArray<Facet>) =>
  `SELECT w.*, r.run_id, r.status AS run_status
     FROM waiting AS w INDEXED BY ${waitIndex("waiting", by)}
     CROSS JOIN runs AS r ON r.first_seq = w.first_seq
     WHERE w.kind = ?`
const ofApprover = (by: ReadonlyArray<Facet>) =>
  `SELECT s.*, r.run_id, r.status AS run_status
     FROM waiting_approvers AS w INDEXED BY ${waitIndex("waiting_approvers", by)}
     CROSS JOIN waiting AS s ON s.first_seq = w.first_seq AND s.position = w.position
     CROSS JOIN runs AS r ON r.first_seq = w.first_seq
     WHERE w.who = ?`

/**
 * So many of the steps that wait, after a place, the longest first. For every set of facets there is an index that begins
 * with what they wait for, or with who may decide; where there are several of these, the first of each are taken together.
 */
export const listWaiting = (ask: Ask, filter: WaitingFilter, place: Place, limit: number) => {
  const { approver, for: wanted = "approval" } = filter
  // Nobody decides about a time or a signal.
  if (approver !== undefined && wanted !== "approval" && wanted !== "any") return Effect.succeed([])
  const by = facets.filter((facet) => filter[facet] !== undefined)
  const [from, keys] =
    approver !== undefined
      ? [ofApprover(by), [named(approver), anybody]]
      : [ofKind(by), wanted === "any" ? kinds : [wanted]]
  const conditions = [
    ...by.map((facet) => `w.${facet} = ?`),
    "(w.since, w.first_seq, w.position) > (?, ?, ?)"
  ]
  const sql = `${[from, ...conditions].join(" AND ")} ORDER BY w.since, w.first_seq, w.position LIMIT ?`
  const values = [...by.flatMap((facet) => filter[facet] ?? []), ...place, limit]
  return Effect.map(
    Effect.forEach(keys, (key) => ask(sql, [key, ...values], waitingRowOf)),
    (found) => found.flat().sort(byPlace).slice(0, limit)
  )
}
