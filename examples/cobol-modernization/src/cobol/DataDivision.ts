import type { Cursor } from "./Cursor.js"
import { dataEntry, startsEntry } from "./DataEntry.js"
import type { DataDivision, FileDescription, ValueLiteral } from "./DataItem.js"
import { type DataDraft, layoutRecords } from "./DataLayout.js"
import { execStatement } from "./ExecParser.js"
import type { ExecStatement } from "./ExecStatement.js"
import type { PictureRules } from "./PictureParser.js"
import { softVerbs } from "./Words.js"

type Storage = "FILE" | "WORKING-STORAGE" | "LOCAL-STORAGE" | "LINKAGE" | "OTHER"

/** A DATA DIVISION without anything in it. */
export const noData: DataDivision = {
  files: [],
  workingStorage: [],
  localStorage: [],
  linkage: [],
  embedded: []
}

const storages: Readonly<Record<string, Storage>> = {
  FILE: "FILE",
  "WORKING-STORAGE": "WORKING-STORAGE",
  "LOCAL-STORAGE": "LOCAL-STORAGE",
  LINKAGE: "LINKAGE",
  SCREEN: "OTHER",
  REPORT: "OTHER",
  COMMUNICATION: "OTHER"
}

/** True where a division or another program begins, so that the one being read is over. */
export const startsDivision = (cursor: Cursor): boolean =>
  cursor.isAtEnd ||
  (cursor.isAnyWord("IDENTIFICATION", "ID", "ENVIRONMENT", "DATA", "PROCEDURE") &&
    cursor.isWord("DIVISION", 1)) ||
  (cursor.isWord("PROGRAM-ID") && cursor.isPeriod(1)) ||
  (cursor.isWord("END") && cursor.isWord("PROGRAM", 1))

const fileKinds = ["FD", "SD", "RD", "CD"] as const

interface FileDraft {
  readonly description: Omit<FileDescription, "records">
  readonly entries: DataDraft[]
}

const fileDescription = (cursor: Cursor, kind: FileDescription["kind"]): FileDraft => {
  const { at } = cursor
  cursor.next()
  const name = cursor.name() ?? ""
  if (name === "") cursor.report("error", `${kind} has no file name.`)
  const start = cursor.index
  while (!cursor.isPeriod() && !startsDivision(cursor) && !(cursor.peek().first && startsEntry(cursor)))
    cursor.next()
  const clauses = cursor.textBetween(start, cursor.index)
  cursor.acceptPeriod()
  return { description: { kind, name, at, clauses }, entries: [] }
}

const constantText = (value: ValueLiteral | undefined): string | undefined =>
  value?._tag === "Number" ? value.text : value?._tag === "Text" ? value.value : undefined

/**
 * Reads the DATA DIVISION (or the bare entries of a copybook) up to the next division. SCREEN, REPORT and
 * COMMUNICATION SECTION are skipped with a note.
 */
export const dataDivision = (cursor: Cursor, base: Omit<PictureRules, "constants">): DataDivision => {
  const constants = new Map<string, string>()
  const rules: PictureRules = { ...base, constants }
  const files: FileDraft[] = []
  const embedded: ExecStatement[] = []
  const entries: Record<Exclude<Storage, "FILE">, DataDraft[]> = {
    "WORKING-STORAGE": [],
    "LOCAL-STORAGE": [],
    LINKAGE: [],
    OTHER: []
  }
  let storage = "WORKING-STORAGE" as Storage
  let last: DataDraft | undefined
  let root: DataDraft | undefined

  const target = (): DataDraft[] => {
    const file = files.at(-1)
    return storage === "FILE" ? (file?.entries ?? entries.OTHER) : entries[storage]
  }

  const readEntry = () => {
    const { at } = cursor
    const entry = dataEntry(cursor, rules)
    if (entry._tag === "Item") {
      const { draft } = entry
      last = draft
      if (softVerbs.has(draft.name)) cursor.declaredVerbs.add(draft.name)
      if (draft.level === 1 || draft.level === 77 || root === undefined) root = draft
      const constant = draft.level === 78 ? constantText(draft.value) : undefined
      if (constant !== undefined) constants.set(draft.name, constant)
      target().push(draft)
    } else if (entry._tag === "Condition") {
      cursor.conditionNames.add(entry.condition.name)
      if (last === undefined) cursor.report("warning", "A level 88 has no item to belong to.", at)
      else last.conditions.push(entry.condition)
    } else if (entry._tag === "Renames") root?.renames.push(entry.renames)
    else cursor.report("error", "The data description could not be read.", at)
  }

  const readSection = () => {
    const name = cursor.next().text
    cursor.next()
    cursor.acceptPeriod()
    storage = storages[name] ?? "OTHER"
    last = undefined
    root = undefined
    if (storage === "OTHER") cursor.report("note", `The ${name} SECTION is skipped.`)
  }

  const skipEntry = (isNoted: boolean) => {
    const { at } = cursor
    const start = cursor.index
    while (!cursor.isPeriod() && !startsDivision(cursor) && !cursor.isWord("SECTION", 1)) {
      cursor.next()
      if (cursor.peek().first && startsEntry(cursor)) break
    }
    const text = cursor.textBetween(start, cursor.index)
    cursor.acceptPeriod()
    if (isNoted) cursor.report("warning", `Text that is no data description: ${text.slice(0, 120)}`, at)
  }

  while (!startsDivision(cursor)) {
    const fileKind = fileKinds.find((kind) => cursor.isWord(kind))
    if (cursor.acceptPeriod()) continue
    if (cursor.isWord("SECTION", 1)) readSection()
    else if (storage === "OTHER") skipEntry(false)
    else if (fileKind !== undefined) {
      storage = "FILE"
      files.push(fileDescription(cursor, fileKind))
    } else if (cursor.peek().kind === "exec") {
      const { at } = cursor
      embedded.push(execStatement(cursor.next().text, at))
    } else if (startsEntry(cursor)) readEntry()
    else skipEntry(true)
  }
  return {
    files: files.map((file) => ({ ...file.description, records: layoutRecords(file.entries) })),
    workingStorage: layoutRecords(entries["WORKING-STORAGE"]),
    localStorage: layoutRecords(entries["LOCAL-STORAGE"]),
    linkage: layoutRecords(entries.LINKAGE),
    embedded
  }
}
