import { describe, expect, it } from "@effect/vitest"
import type { Entry } from "@switchyard/core/Event"
import { RunId, type Seq } from "@switchyard/core/Ids"
import { makeBell, type Waiter } from "@switchyard/core/internal/bell"

const [one, two] = [RunId.make("one"), RunId.make("two")]

const entry = (seq: number, runId: RunId): Entry => ({
  seq: seq as Seq,
  time: 0,
  runId,
  runSeq: 1,
  event: { _tag: "RunStarted" }
})

/** A bell whose turns are taken by hand. */
const setUp = () => {
  let next: (() => void) | undefined
  const bell = makeBell((callback) => {
    next = callback
  })
  const woken: Array<string> = []
  return {
    bell,
    woken,
    wait: (name: string, position = 0, ...runs: ReadonlyArray<RunId>): Waiter => {
      const waiter: Waiter = {
        runs: runs.length === 0 ? undefined : new Set(runs),
        position: position as Seq,
        wake: () => woken.push(name)
      }
      bell.add(waiter)
      return waiter
    },
    turn: () => {
      const callback = next
      next = undefined
      callback?.()
      return callback !== undefined
    },
    taken: () => woken.splice(0)
  }
}

describe("a bell", () => {
  it("wakes who waits once, not in the turn of who rings", () => {
    const { bell, taken, turn, wait } = setUp()
    wait("a")
    wait("b", 0, one)
    bell.ring()
    bell.ring([entry(1, one)])
    expect(taken()).toEqual([])
    turn()
    expect(taken()).toEqual(["a", "b"])
    bell.ring()
    expect(turn()).toBe(false)
    expect(taken()).toEqual([])
  })

  it("wakes many a few at a time, and each of them once, however often it rings meanwhile", () => {
    const { bell, taken, turn, wait } = setUp()
    for (let n = 0; n < 1_000; n++) wait(`${n}`)
    bell.ring()
    const seen: Array<string> = []
    while (turn()) {
      const some = taken()
      expect(some.length).toBeLessThan(100)
      seen.push(...some)
      bell.ring()
    }
    expect(seen).toEqual(Array.from({ length: 1_000 }, (_, n) => `${n}`))
  })

  it("wakes for what came while others were woken", () => {
    const { bell, taken, turn, wait } = setUp()
    const waiter = wait("a")
    waiter.wake = () => {
      wait("b")
      bell.ring()
    }
    bell.ring()
    turn()
    expect(taken()).toEqual([])
    turn()
    expect(taken()).toEqual(["b"])
    expect(turn()).toBe(false)
  })

  it("wakes who waits for a run when there is something of it, and says how far there was nothing", () => {
    const { bell, taken, turn, wait } = setUp()
    wait("of one", 0, one)
    const ofTwo = wait("of two", 0, two)
    const ofBoth = wait("of both", 0, one, two)
    bell.ring([entry(1, one)])
    turn()
    expect(taken()).toEqual(["of one", "of both"])
    wait("of one", 1, one)
    wait("all", 1)
    bell.ring([entry(2, one), entry(3, two), entry(4, two)])
    turn()
    expect(taken().sort()).toEqual(["all", "of one", "of two"])
    expect([ofTwo.position, ofBoth.position]).toEqual([1, 0])
  })

  it("supposes nothing of entries that it was not told of", () => {
    const { bell, taken, turn, wait } = setUp()
    bell.ring([entry(1, one)])
    turn()
    const waiter = wait("of two", 1, two)
    bell.ring([entry(5, one)])
    turn()
    expect(taken()).toEqual(["of two"])
    expect(waiter.position).toBe(1)
    bell.ring()
    wait("of two", 9, two)
    bell.ring([entry(10, one)])
    turn()
    expect(taken()).toEqual(["of two"])
  })

  it("forgets who waits no more, woken already or not", () => {
    const { bell, taken, turn, wait } = setUp()
    const waiters = [wait("a"), wait("b", 0, one), wait("c", 0, one)]
    bell.ring([entry(1, one)])
    for (const waiter of waiters.slice(0, 2)) bell.remove(waiter)
    turn()
    expect(taken()).toEqual(["c"])
    bell.remove(wait("d", 1, one))
    bell.ring([entry(2, one)])
    expect(turn()).toBe(false)
  })

  it("gives turns in the order of their asking, between the wakes", () => {
    const { bell, turn, wait, woken } = setUp()
    for (const name of ["x", "y", "z"]) bell.turn(() => woken.push(name))
    for (let n = 0; n < 40; n++) wait("w")
    bell.ring()
    while (turn());
    expect(woken.filter((name) => name !== "w")).toEqual(["x", "y", "z"])
    expect(woken.at(-1)).toBe("z")
    expect(woken.length).toBe(43)
  })
})
