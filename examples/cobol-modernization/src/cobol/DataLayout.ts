import type { ConditionName, DataItem, Occurs, Picture, Renames, Usage, ValueLiteral } from "./DataItem.js"
import type { Position } from "./Position.js"

/** A data description as written, before its place in the record is known. */
export interface DataDraft {
  level: number
  name: string
  at: Position
  usage?: Usage
  fixedSize?: number
  picture?: Picture
  value?: ValueLiteral
  occurs?: Occurs
  redefines?: string
  sign?: { leading: boolean; separate: boolean }
  justified: boolean
  blankWhenZero: boolean
  synchronized: boolean
  external: boolean
  global: boolean
  conditions: ConditionName[]
  renames: Renames[]
  children: DataDraft[]
}

/** Puts entries in source order under the groups their level numbers say. */
export const treeOf = (entries: readonly DataDraft[]): readonly DataDraft[] => {
  const roots: DataDraft[] = []
  const open: DataDraft[] = []
  for (const entry of entries) {
    const isRoot = entry.level === 1 || entry.level === 77 || entry.level === 78
    while (open.length > 0 && (isRoot || (open.at(-1)?.level ?? 0) >= entry.level)) open.pop()
    const parent = open.at(-1)
    if (parent === undefined) roots.push(entry)
    else parent.children.push(entry)
    if (entry.level < 50) open.push(entry)
  }
  return roots
}

interface Inherited {
  readonly usage: Usage | undefined
  readonly sign: DataDraft["sign"]
}

const binarySize = (digits: number): number => (digits <= 4 ? 2 : digits <= 9 ? 4 : digits <= 18 ? 8 : 16)

const smallestSize = (digits: number): number => {
  let size = 1
  while (256 ** size < 10 ** digits && size < 16) size++
  return size
}

const elementarySize = (draft: DataDraft, usage: Usage, sign: DataDraft["sign"]): number => {
  if (draft.fixedSize !== undefined) return draft.fixedSize
  const { picture } = draft
  if (usage === "COMP-1" || usage === "INDEX" || usage === "POINTER") return 4
  if (usage === "COMP-2") return 8
  if (picture === undefined) return usage === "OTHER" ? 4 : 0
  if (usage === "BINARY" || usage === "COMP-5") return binarySize(picture.digits)
  if (usage === "COMP-3") return Math.floor(picture.digits / 2) + 1
  if (usage === "COMP-6") return Math.ceil(picture.digits / 2)
  if (usage === "COMP-X")
    return picture.category === "numeric" ? smallestSize(picture.digits) : picture.length
  if (usage === "NATIONAL" || picture.category === "national") return picture.length * 2
  return (
    picture.length + (sign?.separate === true && picture.category === "numeric" && picture.signed ? 1 : 0)
  )
}

const aligned = (draft: DataDraft, usage: Usage, size: number, offset: number): number => {
  if (!draft.synchronized || draft.children.length > 0) return offset
  const isBinary = ["BINARY", "COMP-5", "COMP-1", "COMP-2", "INDEX", "POINTER"].includes(usage)
  const boundary = usage === "COMP-2" ? 8 : Math.min(size, 4)
  return isBinary && boundary > 0 ? Math.ceil(offset / boundary) * boundary : offset
}

const placed = (draft: DataDraft, start: number, inherited: Inherited): DataItem => {
  const usage = draft.usage ?? inherited.usage ?? "DISPLAY"
  const sign = draft.sign ?? inherited.sign
  const ownSize = elementarySize(draft, usage, sign)
  const offset = aligned(draft, usage, ownSize, start)
  const children: DataItem[] = []
  const offsets = new Map<string, number>()
  let next = offset
  let end = offset
  for (const child of draft.children) {
    const redefined = child.redefines === undefined ? undefined : offsets.get(child.redefines)
    const item = placed(child, redefined ?? next, { usage: draft.usage ?? inherited.usage, sign })
    if (item.name !== "FILLER") offsets.set(item.name, item.offset)
    if (redefined === undefined) next = item.offset + item.totalSize
    end = Math.max(end, item.offset + item.totalSize)
    children.push(item)
  }
  const size = children.length > 0 ? end - offset : ownSize
  const { picture, value, occurs, redefines, fixedSize: _, sign: _own, usage: _usage, ...rest } = draft
  return {
    ...rest,
    usage,
    ...(picture === undefined ? {} : { picture }),
    ...(value === undefined ? {} : { value }),
    ...(occurs === undefined ? {} : { occurs }),
    ...(redefines === undefined ? {} : { redefines }),
    ...(sign === undefined || children.length > 0 ? {} : { sign }),
    offset,
    size,
    totalSize: size * (occurs?.max ?? 1),
    children
  }
}

/**
 * Computes offsets and sizes. SYNCHRONIZED items are aligned, but tables of them get no padding; pointers
 * and indexes take four bytes as on a 31-bit mainframe.
 */
export const layoutRecords = (entries: readonly DataDraft[]): readonly DataItem[] =>
  treeOf(entries).map((root) => placed(root, 0, { usage: undefined, sign: undefined }))
