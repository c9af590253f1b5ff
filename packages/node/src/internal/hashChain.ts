import type { Seq } from "@switchyard/core/Ids"
import { chainStart, hashAfter } from "./line.js"
import type { Placed } from "./repair.js"

/** The entries that are chained: the first of them, and the hash of the last one. */
export interface Chain {
  /** The first entry that later ones vouch for; of entries that were removed, the last one of them. */
  readonly from: Seq
  /** Whoever keeps it elsewhere finds out later whether the entries up to here are still the same. */
  readonly hash: string
}

/** Goes through the lines of a log in order. */
export interface ChainCheck {
  /** Takes the next line, and says why it does not follow from those before it. */
  readonly follow: (line: Placed) => string | undefined
  /** What is chained so far; `undefined` where nothing is. */
  readonly chain: () => Chain | undefined
}

/** A check that has seen no line as yet. What stands before the first hash of a log was written without a chain. */
export const makeChainCheck = (): ChainCheck => {
  let chain: Chain | undefined
  return {
    follow: ({ bytes, entry, hash, last }) => {
      if (hash === undefined) {
        return chain === undefined ? undefined : "it has no hash, but the entry before it has one"
      }
      // A gap says the hash of an entry that is there no more, which the line after it vouches for.
      if (entry !== undefined && hashAfter(chain?.hash ?? chainStart, bytes) !== hash) {
        return "its hash does not follow from the entry before it, so somebody changed one of them or what stood between them"
      }
      chain = { from: chain?.from ?? (last as Seq), hash }
      return undefined
    },
    chain: () => chain
  }
}
