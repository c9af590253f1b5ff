import { crc32 } from "node:zlib"
import type { RunId } from "@switchyard/core/Ids"

/** Bytes of a segment outside of which a run has no entry. */
export interface Place {
  readonly from: number
  readonly to: number
}

/** Where the runs of a segment are. */
export interface RunPlaces {
  /** Widens the place of a run; a segment that is no longer written learns nothing new. */
  readonly note: (runId: RunId, from: number, to: number) => void
  /** The place of a run, or a wider one; `undefined` where the segment has no entry of it. */
  readonly find: (runId: RunId) => Place | undefined
  /** The same in a form that takes twelve bytes a run. */
  readonly pack: () => PackedPlaces
}

/** Three columns, sorted by the first: the CRC-32 of a run's id, and the bounds of its place. */
export interface PackedPlaces {
  readonly hashes: Uint32Array
  readonly froms: Uint32Array
  readonly tos: Uint32Array
}

/** The places of a segment that is being written. */
export const growingPlaces = (): RunPlaces => {
  const places = new Map<RunId, { readonly from: number; to: number }>()
  return {
    note: (runId, from, to) => {
      const place = places.get(runId)
      if (place === undefined) places.set(runId, { from, to })
      else place.to = to
    },
    find: (runId) => places.get(runId),
    pack: () => {
      const byHash = new Map<number, { from: number; to: number }>()
      for (const [runId, { from, to }] of places) {
        const hash = crc32(runId)
        const same = byHash.get(hash)
        byHash.set(hash, {
          from: Math.min(from, same?.from ?? from),
          to: Math.max(to, same?.to ?? to)
        })
      }
      const rows = [...byHash].sort(([one], [other]) => one - other)
      return {
        hashes: Uint32Array.from(rows, ([hash]) => hash),
        froms: Uint32Array.from(rows, ([, { from }]) => from),
        tos: Uint32Array.from(rows, ([, { to }]) => to)
      }
    }
  }
}

/** The places of a segment that is written no more. */
export const packedPlaces = (packed: PackedPlaces): RunPlaces => ({
  note: () => {},
  find: (runId) => {
    const { froms, hashes, tos } = packed
    const hash = crc32(runId)
    let low = 0
    let high = hashes.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((hashes[middle] ?? 0) < hash) low = middle + 1
      else high = middle
    }
    const from = froms[low]
    const to = tos[low]
    return hashes[low] !== hash || from === undefined || to === undefined ? undefined : { from, to }
  },
  pack: () => packed
})
