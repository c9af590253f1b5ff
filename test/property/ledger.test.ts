import { describe, expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import * as Ledger from "../../packages/core/src/internal/ledger.js"

/** One thing that happens to a ledger: somebody asks, uses, ends, goes away, or a ceiling changes. */
type Act =
  | {
      readonly _tag: "Ask"
      readonly at: number
      readonly guess: number | undefined
      readonly priority: number
    }
  | { readonly _tag: "Use"; readonly which: number; readonly more: number }
  | { readonly _tag: "End"; readonly which: number }
  | { readonly _tag: "Withdraw"; readonly which: number }
  | { readonly _tag: "Limit"; readonly at: number; readonly limit: number }

const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      _tag: fc.constant("Ask" as const),
      at: fc.nat(4),
      guess: fc.option(fc.nat(60), { nil: undefined }),
      priority: fc.nat(2)
    })
  },
  {
    weight: 3,
    arbitrary: fc.record({ _tag: fc.constant("Use" as const), which: fc.nat(9), more: fc.nat(40) })
  },
  { weight: 3, arbitrary: fc.record({ _tag: fc.constant("End" as const), which: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant("Withdraw" as const), which: fc.nat(9) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      _tag: fc.constant("Limit" as const),
      at: fc.nat(4),
      limit: fc.integer({ min: 1, max: 300 })
    })
  }
)

interface Made {
  readonly request: Ledger.Request
  readonly path: ReadonlyArray<Ledger.Account>
  hold: Ledger.Hold | undefined
  used: number
  reserved: number
  over: boolean
}

const tokens = (count: number): Ledger.Amounts => ({ tokens: count, costMicroUsd: 2 * count })

/** Two runs of an owner, one of them with two steps that have budgets of their own. */
const world = (limits: ReadonlyArray<number>) => {
  const open = (limit: number | undefined, parent?: Ledger.Account) =>
    Ledger.makeAccount({ limits: { tokens: limit }, parent, warnAt: 0.5 })
  const owner = open(limits[0])
  const [first, second] = [open(limits[1], owner), open(limits[2], owner)]
  return [owner, first, second, open(limits[3], first), open(undefined, first)] as const
}

const pathOf = (account: Ledger.Account): ReadonlyArray<Ledger.Account> =>
  account.parent === undefined ? [account] : [account, ...pathOf(account.parent)]

describe("a ledger", () => {
  it("reserves within every ceiling, grants what fits, and adds up", () => {
    const limit = fc.integer({ min: 1, max: 300 })
    fc.assert(
      fc.property(fc.tuple(limit, limit, limit, limit), fc.array(act, { maxLength: 120 }), (limits, acts) => {
        const accounts = world(limits)
        const made: Array<Made> = []
        const warnings: Array<string> = []
        /** Whether a grant was made where nothing was left, or more than there was. */
        const wrong: Array<string> = []
        const party: Ledger.Party = {
          warned: (account, kind) =>
            warnings.push(`${accounts.indexOf(account)} ${kind} ${account.limits[kind]}`),
          exceeded: (account, kind) => {
            const spent = Ledger.isExceeded(account, kind)
            if (!spent && account.holds.size > 0) wrong.push("told though something is under way")
            for (const each of made) {
              if (each.hold === undefined && each.path.includes(account)) {
                each.over = true
                Ledger.withdraw(each.request)
              }
            }
            if (spent) for (const hold of account.holds) hold.stop()
          }
        }
        const underWay = () => made.filter(({ hold, path }) => hold !== undefined && path[0]?.holds.has(hold))
        const waiting = () => made.filter(({ hold, over }) => hold === undefined && !over)
        for (const each of acts) {
          switch (each._tag) {
            case "Ask": {
              const account = accounts[each.at] ?? accounts[0]
              const path = pathOf(account)
              const before = { left: 0 }
              const mine: Made = {
                path,
                hold: undefined,
                used: 0,
                reserved: 0,
                over: false,
                request: {
                  account,
                  party,
                  priority: each.priority,
                  estimate: () => {
                    before.left = Math.min(...path.map((at) => Ledger.remaining(at, "tokens")))
                    return { tokens: each.guess }
                  },
                  grant: (hold) => {
                    mine.hold = hold
                    mine.reserved = each.guess ?? before.left
                    if (before.left <= 0) wrong.push("granted where nothing was left")
                    if (mine.reserved > before.left) wrong.push("granted more than there was")
                  },
                  stop: () => mine.hold?.end()
                }
              }
              made.push(mine)
              Ledger.reserve(mine.request)
              break
            }
            case "Use": {
              const all = underWay()
              const mine = all[each.which % Math.max(1, all.length)]
              if (mine === undefined) break
              mine.used += each.more
              mine.hold?.report(tokens(mine.used))
              break
            }
            case "End": {
              const all = underWay()
              all[each.which % Math.max(1, all.length)]?.hold?.end()
              break
            }
            case "Withdraw": {
              const all = waiting()
              const mine = all[each.which % Math.max(1, all.length)]
              if (mine === undefined) break
              mine.over = true
              expect(Ledger.withdraw(mine.request)).toBe(true)
              break
            }
            case "Limit": {
              const account = accounts[each.at] ?? accounts[0]
              const { held, spent } = account
              Ledger.limit(account, { tokens: Math.max(each.limit, spent.tokens + held.tokens) })
            }
          }
          const active = underWay()
          for (const [index, account] of accounts.entries()) {
            const mine = made.filter(({ path }) => path.includes(account))
            const used = mine.reduce((sum, { used }) => sum + used, 0)
            const live = active.filter(({ path }) => path.includes(account))
            const held = live.reduce((sum, { reserved, used }) => sum + Math.max(0, reserved - used), 0)
            expect(account.spent, `spent of ${index}`).toEqual(tokens(used))
            expect(account.held.tokens, `held of ${index}`).toBe(held)
            const excess = mine.reduce((sum, { reserved, used }) => sum + Math.max(0, used - reserved), 0)
            const ceiling = account.limits.tokens ?? Number.POSITIVE_INFINITY
            expect(used + held, `ceiling of ${index}`).toBeLessThanOrEqual(ceiling + excess)
            if (used > ceiling) expect(live.length, `under way in ${index}, which is exceeded`).toBe(0)
          }
          expect(wrong).toEqual([])
          // Nobody waits for ever: where something waits, something is under way that it waits for.
          for (const { path } of waiting()) expect(path.some(({ holds }) => holds.size > 0)).toBe(true)
        }
        expect(new Set(warnings).size, "each warning is given once").toBe(warnings.length)
      }),
      { numRuns: 500 }
    )
  })

  it("asks the higher priority first, and does not hold up who has room elsewhere", () => {
    const run = Ledger.makeAccount({ limits: { tokens: 100 } })
    const [small, large] = [10, 90].map((limit) =>
      Ledger.makeAccount({ limits: { tokens: limit }, parent: run })
    )
    if (small === undefined || large === undefined) throw new Error("there are two steps")
    const granted: Array<string> = []
    const holds: Array<Ledger.Hold> = []
    const ask = (name: string, account: Ledger.Account, priority: number) =>
      Ledger.reserve({
        account,
        party: { warned: () => {}, exceeded: () => granted.push(`${name} is refused`) },
        priority,
        estimate: () => ({ tokens: 10 }),
        grant: (hold) => {
          holds.push(hold)
          granted.push(name)
        },
        stop: () => {}
      })
    ask("first", small, 0)
    ask("waits", small, 0)
    ask("before it", small, 1)
    ask("elsewhere", large, 0)
    expect(granted).toEqual(["first", "elsewhere"])
    holds[0]?.end()
    expect(granted).toEqual(["first", "elsewhere", "before it"])
    holds[2]?.end(tokens(10))
    expect(granted).toEqual(["first", "elsewhere", "before it", "waits is refused"])
  })
})
