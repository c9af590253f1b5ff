import { insertSorted } from "./sorted.js"

/** What is reserved and used, in the dimensions that can be reserved. */
export interface Amounts {
  readonly tokens: number
  readonly costMicroUsd: number
}

/** One of the dimensions that can be reserved. */
export type Kind = keyof Amounts

/** What there is to know in some of the dimensions. */
export type Known = { readonly [Each in Kind]?: number | undefined }

const kinds: ReadonlyArray<Kind> = ["tokens", "costMicroUsd"]

/** Nothing. */
export const nothing: Amounts = { tokens: 0, costMicroUsd: 0 }

/** Who has attempts made, and is told what becomes of the accounts that they are charged to. */
export interface Party {
  /** The warning share of a ceiling is reached, for the first time with this ceiling. */
  readonly warned: (account: Account, kind: Kind) => void
  /**
   * More is used than there is, or nothing more can begin. The party leaves no request in the accounts concerned, and ends
   * what it has under way where more is used than there is.
   */
  readonly exceeded: (account: Account, kind: Kind) => void
}

/** A request for what an attempt may use, from its account and all that stand above it. */
export interface Request {
  readonly account: Account
  readonly party: Party
  /** Higher ones go first; among equals first come, first served. */
  readonly priority: number
  /** What is asked for; all that remains where nothing is known. */
  readonly estimate: () => Known
  readonly grant: (hold: Hold) => void
  /** Ends the attempt. */
  readonly stop: () => void
  /** When it came, among the requests of its accounts. */
  arrival?: number
}

/** What is reserved for an attempt under way. */
export interface Hold {
  readonly party: Party
  /** Ends the attempt, which ends the reservation. */
  readonly stop: () => void
  /** Takes note of what the attempt has used so far, in all. */
  readonly report: (used: Amounts) => void
  /** Ends the reservation; what the attempt has used stays used. The first end counts. */
  readonly end: (used?: Amounts) => void
}

type Mutable = { -readonly [Each in Kind]: number }

/** One ceiling per dimension over all that is charged to it, and to the accounts below it. */
export interface Account {
  parent: Account | undefined
  /** Whose it is: told what becomes of it whoever is charged to it. */
  keeper: Party | undefined
  limits: Known
  warnAt: number
  /** What has been used, by attempts under way included. */
  readonly spent: Mutable
  /** What is reserved for attempts under way, beyond what they have used. */
  readonly held: Mutable
  readonly holds: Set<Hold>
  /** The ceilings for which the warning was given. */
  readonly warned: Set<string>
  /** Requests that do not fit yet, the next one last. */
  readonly waiting: Array<Request>
  /** The accounts at and below this one that have requests, where there is none above it. */
  readonly lines: Set<Account>
  /** Whether requests are being looked at. */
  serving: boolean
  arrivals: number
}

/** An account, charged to the one above it as well. */
export const makeAccount = (options: {
  readonly limits: Known
  readonly parent?: Account | undefined
  readonly warnAt?: number | undefined
  readonly spent?: Amounts | undefined
  readonly warned?: Iterable<string>
}): Account => {
  const { limits, parent, spent = nothing, warnAt = 1, warned = [] } = options
  return {
    parent,
    keeper: undefined,
    limits,
    warnAt,
    spent: { ...spent },
    held: { ...nothing },
    holds: new Set(),
    warned: new Set(warned),
    waiting: [],
    lines: new Set(),
    serving: false,
    arrivals: 0
  }
}

/** The mark of a warning that was given. */
export const warningOf = (kind: string, limit: number): string => `${kind} ${limit}`

const pathOf = (account: Account): ReadonlyArray<Account> => {
  const path = [account]
  for (let above = account.parent; above !== undefined; above = above.parent) path.push(above)
  return path
}

const rootOf = (account: Account): Account => {
  let root = account
  while (root.parent !== undefined) root = root.parent
  return root
}

/** Puts an account below another one, with the requests that wait at and below it. */
export const attach = (account: Account, parent: Account | undefined): void => {
  if (account.parent === parent) return
  const { lines } = rootOf(account)
  account.parent = parent
  for (const line of lines) rootOf(line).lines.add(line)
}

/** Charges an account, and those above it up to one that counts by itself, with what was used before. */
export const charge = (account: Account, used: Amounts, counting: Account | undefined): void => {
  for (const each of pathOf(account)) {
    if (each === counting) return
    for (const kind of kinds) each.spent[kind] += used[kind]
  }
}

/** What is neither used nor reserved; without a ceiling there is no end to it. */
export const remaining = ({ held, limits, spent }: Account, kind: Kind): number =>
  (limits[kind] ?? Number.POSITIVE_INFINITY) - spent[kind] - held[kind]

/** Whether more is used than there is. */
export const isExceeded = ({ limits, spent }: Account, kind: Kind): boolean =>
  spent[kind] > (limits[kind] ?? Number.POSITIVE_INFINITY)

/** The dimension in which an account has nothing left at all, where there is one. */
export const exhausted = (account: Account): Kind | undefined =>
  kinds.find((kind) => remaining(account, kind) <= 0)

const amountsOf = (path: ReadonlyArray<Account>, known: Known): Amounts => {
  const of = (kind: Kind): number => {
    const least = Math.min(...path.map((account) => remaining(account, kind)))
    return least === Number.POSITIVE_INFINITY ? 0 : (known[kind] ?? Math.max(0, least))
  }
  return { tokens: of("tokens"), costMicroUsd: of("costMicroUsd") }
}

interface Shortage {
  readonly account: Account
  readonly kind: Kind
}

/** Where there is too little for an attempt: the lowest account first. */
const shortageOf = (path: ReadonlyArray<Account>, amounts: Amounts): Shortage | undefined => {
  for (const account of path) {
    for (const kind of kinds) {
      const rest = remaining(account, kind)
      if (rest <= 0 || amounts[kind] > rest) return { account, kind }
    }
  }
  return undefined
}

/** Takes note of what is used, and tells whom it concerns. */
const notice = (path: ReadonlyArray<Account>, party: Party): void => {
  for (const account of path) {
    for (const kind of kinds) {
      const limit = account.limits[kind]
      if (limit === undefined) continue
      const mark = warningOf(kind, limit)
      if (account.spent[kind] >= account.warnAt * limit && !account.warned.has(mark)) {
        account.warned.add(mark)
        const told = account.keeper ?? party
        told.warned(account, kind)
      }
      if (!isExceeded(account, kind)) continue
      const concerned = [account.keeper ?? party, party, ...[...account.holds].map((hold) => hold.party)]
      for (const each of new Set(concerned)) each.exceeded(account, kind)
    }
  }
}

const makeHold = ({ account, party, stop }: Request, amounts: Amounts): Hold => {
  const path = pathOf(account)
  let used = nothing
  let ended = false
  const left = (kind: Kind): number => Math.max(0, amounts[kind] - used[kind])
  for (const each of path) for (const kind of kinds) each.held[kind] += amounts[kind]

  const charge = (now: Amounts): void => {
    const before = { tokens: left("tokens"), costMicroUsd: left("costMicroUsd") }
    const last = used
    used = now
    for (const each of path) {
      for (const kind of kinds) {
        each.spent[kind] += now[kind] - last[kind]
        each.held[kind] += (ended ? 0 : left(kind)) - before[kind]
      }
    }
  }

  const hold: Hold = {
    party,
    stop,
    report: (now) => {
      if (ended || (now.tokens === used.tokens && now.costMicroUsd === used.costMicroUsd)) return
      charge(now)
      notice(path, party)
    },
    end: (now = used) => {
      if (ended) return
      // Who has ended is not under way any more when others are told to end.
      ended = true
      for (const each of path) each.holds.delete(hold)
      charge(now)
      notice(path, party)
      serve(rootOf(account))
    }
  }
  for (const each of path) each.holds.add(hold)
  return hold
}

/** The first of each line of requests, in the order in which they may go. */
const firstOf = ({ lines }: Account): ReadonlyArray<Request> => {
  const found = [...lines].flatMap(({ waiting }) => waiting.at(-1) ?? [])
  return found.sort((a, b) => b.priority - a.priority || (a.arrival ?? 0) - (b.arrival ?? 0))
}

const remove = (root: Account, request: Request): boolean => {
  const { account } = request
  const at = account.waiting.lastIndexOf(request)
  if (at < 0) return false
  account.waiting.splice(at, 1)
  if (account.waiting.length === 0) root.lines.delete(account)
  return true
}

/** Grants the next request that fits, or tells that one can never fit; says whether there was one. */
const serveOne = (root: Account): boolean => {
  const short = new Set<Account>()
  for (const request of firstOf(root)) {
    const path = pathOf(request.account)
    // Who waits for what another one waits for as well does not go before it.
    if (path.some((account) => short.has(account))) continue
    const amounts = amountsOf(path, request.estimate())
    const shortage = shortageOf(path, amounts)
    if (shortage === undefined) {
      remove(root, request)
      request.grant(makeHold(request, amounts))
      return true
    }
    if (shortage.account.holds.size === 0) {
      const { account, kind } = shortage
      for (const each of new Set([account.keeper ?? request.party, request.party]))
        each.exceeded(account, kind)
      if (request.account.waiting.at(-1) !== request) return true
    }
    short.add(shortage.account)
  }
  return false
}

/** Looks at the requests at and below an account that has none above it. */
const serve = (root: Account): void => {
  if (root.serving) return
  root.serving = true
  // Each turn takes a request away.
  while (serveOne(root)) {}
  root.serving = false
}

/** Asks for what an attempt may use. */
export const reserve = (request: Request): void => {
  const root = rootOf(request.account)
  request.arrival = root.arrivals++
  insertSorted(request.account.waiting, request, ({ priority }) => -priority)
  root.lines.add(request.account)
  serve(root)
}

/** Takes a request back; false where it was granted already. */
export const withdraw = (request: Request): boolean => {
  const root = rootOf(request.account)
  if (!remove(root, request)) return false
  serve(root)
  return true
}

/** Changes the ceilings of an account, and lets begin what fits now. */
export const limit = (account: Account, limits: Known): void => {
  account.limits = limits
  serve(rootOf(account))
}
