import type { Program } from "../cobol/Ast.js"
import type { DataItem, Picture, Usage } from "../cobol/DataItem.js"
import type { Reference } from "../cobol/Expression.js"
import { type ConditionMethods, type Field, lineage, type RenamedRange, type View } from "./Field.js"
import { type FieldType, leafType } from "./FieldType.js"
import {
  camelCase,
  constantCase,
  NameScope,
  pascalCase,
  runtimeClassNames,
  runtimeMemberNames
} from "./JavaName.js"

/** What a data reference can mean. */
export type Meaning =
  | { readonly _tag: "Field"; readonly field: Field }
  | { readonly _tag: "Condition"; readonly methods: ConditionMethods }
  | { readonly _tag: "Renamed"; readonly range: RenamedRange }

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }

const numeric = (digits: number): Picture => ({
  text: `S9(${digits})`,
  category: "numeric",
  digits,
  scale: 0,
  signed: true,
  length: digits
})

const alphanumeric = (length: number): Picture => ({
  text: `X(${length})`,
  category: "alphanumeric",
  digits: 0,
  scale: 0,
  signed: false,
  length
})

const systemItem = (name: string, usage: Usage, size: number, picture?: Picture): DataItem => ({
  level: 77,
  name,
  at: { file: "", line: 0 },
  usage,
  ...(picture === undefined ? {} : { picture }),
  justified: false,
  blankWhenZero: false,
  synchronized: false,
  external: false,
  global: false,
  offset: 0,
  size,
  totalSize: size,
  conditions: [],
  renames: [],
  children: []
})

const registers = new Map<string, DataItem>(
  [
    systemItem("SQLCODE", "BINARY", 4, numeric(9)),
    systemItem("SQLSTATE", "DISPLAY", 5, alphanumeric(5)),
    systemItem("SORT-RETURN", "BINARY", 2, numeric(4)),
    systemItem("TALLY", "BINARY", 4, numeric(5)),
    systemItem("EIBCALEN", "BINARY", 2, numeric(4)),
    systemItem("EIBAID", "DISPLAY", 1, alphanumeric(1)),
    systemItem("EIBTRNID", "DISPLAY", 4, alphanumeric(4)),
    systemItem("EIBTRMID", "DISPLAY", 4, alphanumeric(4)),
    systemItem("EIBRESP", "BINARY", 4, numeric(8)),
    systemItem("EIBDATE", "COMP-3", 4, numeric(7)),
    systemItem("EIBTIME", "COMP-3", 4, numeric(7))
  ].map((item) => [item.name, item])
)

/** The data of one program as Java members, with all names made safe and different. */
export class Storage {
  readonly roots: Field[] = []
  readonly members: NameScope
  readonly constants: NameScope
  readonly #classes: NameScope
  readonly #comma: boolean
  readonly #meanings = new Map<string, Meaning[]>()

  constructor(program: Program, className: string) {
    this.members = new NameScope(runtimeMemberNames)
    this.constants = new NameScope(["NEXT_PART"])
    this.#comma = program.configuration.decimalPointIsComma
    this.#classes = new NameScope([...runtimeClassNames, className])
    const returnCode = systemItem("RETURN-CODE", "BINARY", 4, numeric(9))
    const type = leafType(returnCode, this.constants.claim("RETURN_CODE_PIC"), false)
    this.returnCode = {
      name: "RETURN-CODE",
      item: returnCode,
      type,
      member: "returnCode",
      children: [],
      conditions: []
    }
    const { data } = program
    for (const file of data.files) this.#addRecords(file.records, file.name)
    for (const items of [data.workingStorage, data.localStorage, data.linkage]) this.#addItems(items)
    this.#know("RETURN-CODE", { _tag: "Field", field: this.returnCode })
  }

  /** The special register that the runtime already declares. */
  readonly returnCode: Field

  /** What the reference means; of several candidates that fit the qualifiers the first declared wins. */
  find(reference: Pick<Reference, "name" | "qualifiers">): Meaning | undefined {
    const known = this.#meanings.get(reference.name.toUpperCase())
    if (known === undefined) return this.#register(reference.name.toUpperCase())
    return known.find((meaning) => this.#fits(meaning, reference.qualifiers))
  }

  #register(name: string): Meaning | undefined {
    const item = registers.get(name)
    if (item === undefined) return undefined
    const field = this.#addItem(item, this.members)
    this.roots.push(field)
    return { _tag: "Field", field }
  }

  #fits(meaning: Meaning, qualifiers: readonly string[]): boolean {
    if (qualifiers.length === 0) return true
    const around = this.#around(meaning)
    let from = 0
    for (const qualifier of qualifiers) {
      const found = around.indexOf(qualifier.toUpperCase(), from)
      if (found < 0) return false
      from = found + 1
    }
    return true
  }

  #around(meaning: Meaning): readonly string[] {
    const names = (fields: readonly Field[]) => {
      const file = fields.at(-1)?.file
      const own = fields.map((field) => field.name.toUpperCase())
      return file === undefined ? own : [...own, file.toUpperCase()]
    }
    if (meaning._tag === "Field") return names(lineage(meaning.field)).slice(1)
    return names(lineage(meaning._tag === "Condition" ? meaning.methods.field : meaning.range.record))
  }

  #know(name: string, meaning: Meaning): void {
    const key = name.toUpperCase()
    if (key === "FILLER") return
    const known = this.#meanings.get(key)
    if (known === undefined) this.#meanings.set(key, [meaning])
    else known.push(meaning)
  }

  #addRecords(records: readonly DataItem[], file: string): void {
    let first: Field | undefined
    for (const record of records) {
      const field = this.#addItem(record, this.members, undefined, this.roots, file, first)
      first ??= field
      this.roots.push(field)
    }
  }

  #addItems(items: readonly DataItem[]): void {
    for (const item of items) this.roots.push(this.#addItem(item, this.members, undefined, this.roots))
  }

  #addItem(
    item: DataItem,
    scope: NameScope,
    owner?: Field,
    siblings: readonly Field[] = [],
    file?: string,
    sharedWith?: Field
  ): Field {
    const filler = item.name === "" || item.name.toUpperCase() === "FILLER"
    const name = filler ? "FILLER" : item.name
    const member = scope.claim(camelCase(name))
    const isGroup = item.children.length > 0
    const className = isGroup ? this.#classes.claim(pascalCase(name)) : ""
    const type: FieldType = isGroup
      ? { _tag: "Group", className }
      : leafType(item, this.constants.claim(`${constantCase(name)}_PIC`), this.#comma)
    const base = sharedWith ?? this.#redefined(item, siblings)
    const children: Field[] = []
    const conditions: ConditionMethods[] = []
    const field: Mutable<Field> = { name, item, type, member, children, conditions }
    if (owner !== undefined) field.owner = owner
    if (file !== undefined) field.file = file
    if (item.occurs !== undefined) field.occurs = Math.max(item.occurs.max, 1)
    if (base !== undefined) field.view = this.#view(field, base, scope)
    this.#know(name, { _tag: "Field", field })
    for (const condition of item.conditions) {
      const test = scope.claim(camelCase(condition.name, "is"))
      const methods = { condition, field, test, set: scope.claim(`set${pascalCase(condition.name)}`) }
      conditions.push(methods)
      this.#know(condition.name, { _tag: "Condition", methods })
    }
    for (const index of item.occurs?.indexedBy ?? []) {
      this.roots.push(this.#addItem(systemItem(index, "INDEX", 4), this.members))
    }
    const inner = new NameScope(runtimeMemberNames)
    for (const child of item.children) children.push(this.#addItem(child, inner, field, children))
    for (const renames of item.renames) this.#addRenames(renames, field)
    return field
  }

  #redefined(item: DataItem, siblings: readonly Field[]): Field | undefined {
    if (item.redefines === undefined) return undefined
    const wanted = item.redefines.toUpperCase()
    const found = siblings.findLast((sibling) => sibling.name.toUpperCase() === wanted)
    return found?.view === undefined ? found : found.view.base
  }

  #view(field: Field, base: Field, scope: NameScope): View {
    const direct = field.type._tag === "Group" && field.occurs === undefined
    const view = {
      base,
      holder: scope.claim(`${field.member}View`),
      store: scope.claim(`store${pascalCase(field.name)}`)
    }
    if (direct) return { ...view, accessor: field.member }
    const wrapper = this.#classes.claim(`${pascalCase(field.name)}View`)
    return { ...view, accessor: view.holder, wrapper }
  }

  #addRenames(renames: DataItem["renames"][number], record: Field): void {
    const from = this.#within(record, renames.from)
    if (from === undefined) return
    const through = renames.through === undefined ? undefined : this.#within(record, renames.through)
    const range = { renames, record, from, ...(through === undefined ? {} : { through }) }
    this.#know(renames.name, { _tag: "Renamed", range })
  }

  #within(field: Field, name: string): Field | undefined {
    for (const child of field.children) {
      if (child.name.toUpperCase() === name.toUpperCase()) return child
      const found = this.#within(child, name)
      if (found !== undefined) return found
    }
    return undefined
  }
}
