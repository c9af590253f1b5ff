import { type Document, isAlias, isMap, isPair, isScalar, isSeq, type Node, type Pair } from "yaml"

interface Place {
  readonly offset: number
  /** How much of the path was found. */
  readonly found: number
}

const start = (node: unknown, otherwise: number): number =>
  (typeof node === "object" && node !== null ? (node as Node).range?.[0] : undefined) ?? otherwise

const nameOf = ({ key }: Pair): string => (isScalar(key) ? String(key.value) : "")

/** Names may have dots in them, so that a path can be read in more than one way: the one that leads furthest counts. */
const furthest = (places: ReadonlyArray<Place>, otherwise: Place): Place =>
  places.reduce((best, each) => (each.found > best.found ? each : best), otherwise)

const search = (
  document: Document,
  node: unknown,
  path: string,
  from: number,
  here: Place,
  at: "name" | "value"
): Place => {
  const target = isAlias(node) ? node.resolve(document) : node
  const rest = path.slice(from)
  if (isSeq(target)) {
    const digits = /^\[(\d+)\]/.exec(rest)
    const item = digits === null ? undefined : target.items[Number(digits[1])]
    if (digits === null || item === undefined) return here
    const found = from + digits[0].length
    return search(document, item, path, found, { offset: start(item, here.offset), found }, at)
  }
  if (!isMap(target)) return here
  const names = rest.startsWith(".") ? from + 1 : from
  const places = target.items.filter(isPair).flatMap((pair) => {
    const name = nameOf(pair)
    const found = names + name.length
    if (!path.startsWith(name, names) || !/^(?:[.[]|$)/.test(path.slice(found))) return []
    const named = start(pair.key, here.offset)
    const whole = found === path.length && at === "value"
    const place = { offset: whole ? start(pair.value, named) : named, found }
    return [search(document, pair.value, path, found, place, at)]
  })
  return furthest(places, here)
}

/** Where the part of a document with a path is written, or the nearest part around it that there is. */
export const offsetOf = (document: Document, path: string, at: "name" | "value"): number => {
  const offset = start(document.contents, 0)
  return path === "" ? offset : search(document, document.contents, path, 0, { offset, found: 0 }, at).offset
}

const end = (node: unknown): number =>
  (typeof node === "object" && node !== null ? (node as Node).range?.[1] : undefined) ?? -1

/** The last of the parts that begins at a place or before it; they are in the order of the text. */
const lastBefore = <A>(parts: ReadonlyArray<A>, offset: number, startOf: (part: A) => number): number => {
  let low = 0
  let high = parts.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (startOf(parts[middle] as A) <= offset) low = middle + 1
    else high = middle
  }
  return low - 1
}

/** The path of the innermost part of a document that is written around a place. */
export const pathAt = (document: Document, offset: number): string => {
  const around = (node: unknown, path: string): string => {
    if (isSeq(node)) {
      const index = lastBefore(node.items, offset, (item) => start(item, offset + 1))
      const item = node.items[index]
      return item === undefined || offset >= end(item) ? path : around(item, `${path}[${index}]`)
    }
    if (!isMap(node)) return path
    const pair = node.items[lastBefore(node.items, offset, ({ key }) => start(key, offset + 1))]
    if (pair === undefined || !isScalar(pair.key)) return path
    if (offset >= Math.max(end(pair.key), end(pair.value))) return path
    return around(pair.value, path === "" ? nameOf(pair) : `${path}.${nameOf(pair)}`)
  }
  return around(document.contents, "")
}
