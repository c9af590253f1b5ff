import type { DataItem } from "./DataItem.js"

const largestRecord = 1_000_000
const mostOccurrences = 10_000

const isInTable = (item: DataItem): boolean => item.redefines !== undefined || item.occurs !== undefined

const characterOf = (item: DataItem): string | undefined => {
  const { value } = item
  if (value?._tag === "Figurative")
    return value.name === "SPACE" ? " " : value.name === "ZERO" ? "0" : undefined
  return value?._tag === "Text" ? "" : undefined
}

/** Calls back once per occurrence with the distance of the occurrence from the first one. */
const eachOccurrence = (item: DataItem, shift: number, visit: (shift: number) => void): void => {
  const count = Math.min(item.occurs?.max ?? 1, mostOccurrences)
  for (let index = 0; index < count; index++) visit(shift + index * item.size)
}

const fill = (image: string[], item: DataItem, shift: number, budget: { left: number }): void => {
  if (item.redefines !== undefined && item.level !== 1) return
  eachOccurrence(item, shift, (at) => {
    budget.left--
    if (budget.left < 0) return
    const padding = characterOf(item)
    if (padding !== undefined) {
      const text =
        item.value?._tag === "Text" ? item.value.value.padEnd(item.size) : padding.repeat(item.size)
      for (let index = 0; index < item.size; index++) image[item.offset + at + index] = text[index] ?? " "
    }
    for (const child of item.children) fill(image, child, at, budget)
  })
}

const collect = (
  image: readonly string[],
  item: DataItem,
  shift: number,
  inTable: boolean,
  budget: { left: number },
  found: Map<string, Set<string>>
): void => {
  const isCandidate = inTable || isInTable(item)
  eachOccurrence(item, shift, (at) => {
    budget.left--
    if (budget.left < 0) return
    for (const child of item.children) collect(image, child, at, isCandidate, budget, found)
    if (!isCandidate || item.children.length > 0 || item.picture?.category !== "alphanumeric") return
    const text = image.slice(item.offset + at, item.offset + at + item.size).join("")
    if (text.length === item.size && text.trim() !== "") {
      found.set(item.name, (found.get(item.name) ?? new Set()).add(text.trim()))
    }
  })
}

/**
 * The texts that alphanumeric members of tables and redefinitions hold at the start because of the VALUEs
 * written for the storage they share. Only text VALUEs count; very large records are left out.
 */
export const initialTexts = (records: readonly DataItem[]): ReadonlyMap<string, ReadonlySet<string>> => {
  const found = new Map<string, Set<string>>()
  const images = new Map<string, string[]>()
  for (const record of records) {
    if (record.totalSize > largestRecord) continue
    const shared = record.redefines === undefined ? undefined : images.get(record.redefines)
    const image = shared ?? []
    const budget = { left: mostOccurrences * 10 }
    if (shared === undefined) fill(image, record, 0, budget)
    images.set(record.name, image)
    collect(image, record, 0, false, { left: mostOccurrences * 10 }, found)
  }
  return found
}
