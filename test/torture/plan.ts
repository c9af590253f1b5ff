import { type Chance, chanceOf } from "./chance.js"

/**
 * When a host loses its power: at an operation of the log on the disk, counted from its opening on, or so many milliseconds
 * after its opening or after its disk began to refuse.
 */
export type PowerAt =
  | { readonly operation: number; readonly phase: "before" | "partly" | "after" }
  | { readonly since: "go" | "fault"; readonly millis: number }

/** How one host dies. The parent counts from the opening, from when it is open, or from a fault or its end. */
export type Death =
  | { readonly by: "kill"; readonly since: "go" | "ready" | "fault" | "recovery"; readonly millis: number }
  /** Power is lost: what was not synced is on the disk in part only. */
  | { readonly by: "power"; readonly at: PowerAt }
  /** A part of a write reaches the file, and the process is killed. */
  | { readonly by: "short"; readonly operation: number }

/** What the disk refuses for a while, from an operation on. */
export interface Fault {
  /**
   * `EIO` and `ENOSPC` on every write; `grow`: ENOSPC only where a file would become larger; `sync`: an fdatasync fails, after
   * which all that is possible is to open the log again; `syncs`: all fail.
   */
  readonly kind: "EIO" | "ENOSPC" | "grow" | "sync" | "syncs"
  readonly operation: number
  readonly millis: number
  /** Whether the first write that is refused is a short one before. */
  readonly short: boolean
}

/** The life of one host. */
export interface Cycle {
  readonly death: Death
  readonly fault: Fault | undefined
  /** How far behind the last entry that was seen the host is asked to begin to follow. */
  readonly back: number
  /** From which size on events are kept in files of their own. */
  readonly inline: number | undefined
  /** Whether the log is chained from here on. */
  readonly audit: boolean
  readonly seed: number
}

/** A host that is left to finish everything. */
export const lastCycle: Cycle = {
  death: { by: "kill", since: "recovery", millis: 0 },
  fault: undefined,
  back: Number.POSITIVE_INFINITY,
  inline: undefined,
  audit: false,
  seed: 0
}

const powerAt = (chance: Chance): PowerAt =>
  chance.happens(0.3)
    ? { since: "go", millis: chance.between(0, 250) }
    : {
        operation: chance.happens(0.3) ? chance.between(1, 10) : chance.between(5, 70),
        phase: chance.pick(["before", "partly", "after"])
      }

const faultOf = (chance: Chance): Fault => ({
  kind: chance.weighted([
    [2, "EIO"],
    [2, "ENOSPC"],
    [2, "grow"],
    [2, "sync"],
    [1, "syncs"]
  ]),
  operation: chance.happens(0.15) ? chance.between(1, 10) : chance.between(10, 60),
  millis: chance.between(5, 60),
  short: chance.happens(0.5)
})

const cycleOf = (chance: Chance): Cycle => {
  const seed = chance.between(1, 2 ** 31)
  const back = chance.happens(0.1) ? chance.between(1, 3000) : 0
  const inline = chance.happens(0.4) ? chance.between(60, 300) : undefined
  const life = { back, inline, audit: chance.happens(0.05), seed }
  const fault = chance.happens(0.18) ? faultOf(chance) : undefined
  const death = chance.weighted<Death>([
    [50, { by: "kill", since: "ready", millis: chance.between(0, 150) }],
    [10, { by: "kill", since: "go", millis: chance.between(0, 100) }],
    [32, { by: "power", at: powerAt(chance) }],
    [8, { by: "short", operation: chance.between(3, 60) }]
  ])
  if (fault === undefined) return { ...life, death, fault }
  const millis = chance.between(0, 60)
  if (chance.happens(0.3)) {
    return { ...life, death: { by: "power", at: { since: "fault", millis: 2 * millis } }, fault }
  }
  if (chance.happens(0.35)) return { ...life, death: { by: "kill", since: "fault", millis }, fault }
  // Whether it recovers is to be seen, so that the host has to live that long.
  return { ...life, death: { by: "kill", since: "recovery", millis }, fault }
}

/** How each of a number of hosts lives and dies, as a function of the seed. */
export const planOf = (seed: number, kills: number): ReadonlyArray<Cycle> => {
  const chance = chanceOf(seed)
  return Array.from({ length: kills }, () => cycleOf(chance))
}
