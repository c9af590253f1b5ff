import type { ConditionName, DataItem, Renames } from "../cobol/DataItem.js"
import type { FieldType } from "./FieldType.js"

/**
 * How an item that redefines another is reached: `accessor` brings the view up to date, `store` writes it back.
 * A `wrapper` is the class that holds an elementary item or a table, which cannot be a view themselves.
 */
export interface View {
  readonly base: Field
  readonly holder: string
  readonly accessor: string
  readonly store: string
  readonly wrapper?: string
}

/** A level-88 name as two Java methods of the class that owns the item. */
export interface ConditionMethods {
  readonly condition: ConditionName
  readonly field: Field
  readonly test: string
  readonly set: string
}

/** A level-66 name; without `through` it is another name of one item. */
export interface RenamedRange {
  readonly renames: Renames
  readonly record: Field
  readonly from: Field
  readonly through?: Field
}

/** A data item as a Java member; `occurs` is the maximum number of occurrences of a table. */
export interface Field {
  readonly name: string
  readonly item: DataItem
  readonly type: FieldType
  readonly member: string
  readonly owner?: Field
  readonly file?: string
  readonly occurs?: number
  readonly view?: View
  readonly children: readonly Field[]
  readonly conditions: readonly ConditionMethods[]
}

/** The item and the groups around it, the item first. */
export const lineage = (field: Field): readonly Field[] =>
  field.owner === undefined ? [field] : [field, ...lineage(field.owner)]

/** The tables that a reference to the item has to subscript, the outermost first. */
export const tables = (field: Field): readonly Field[] =>
  lineage(field)
    .filter((each) => each.occurs !== undefined)
    .reverse()

/** The items of a group that make up its image: views share the image of another item. */
export const stored = (children: readonly Field[]): readonly Field[] =>
  children.filter((child) => child.view === undefined)

/** The bytes of the image of one occurrence. */
export const imageSize = (field: Field): number => {
  if (field.type._tag === "Group") {
    return stored(field.children).reduce((sum, child) => sum + imageSize(child) * (child.occurs ?? 1), 0)
  }
  return field.type._tag === "Number" || field.type._tag === "Float" ? field.type.size : field.type.length
}

/** Where the image of the item begins in the image of the record, counted from zero. */
export const imageOffset = (field: Field, record: Field): number => {
  if (field === record || field.owner === undefined) return 0
  const before = field.view === undefined ? field : field.view.base
  let offset = imageOffset(field.owner, record)
  for (const sibling of stored(field.owner.children)) {
    if (sibling === before) return offset
    offset += imageSize(sibling) * (sibling.occurs ?? 1)
  }
  return offset
}
