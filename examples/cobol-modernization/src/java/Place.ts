import type { Expression, Reference } from "../cobol/Expression.js"
import { type Field, imageOffset, imageSize, type RenamedRange, tables } from "./Field.js"
import { decoded, encoded, type FieldType } from "./FieldType.js"
import { fieldOperand, intCode, type Operand, Untranslatable } from "./Operand.js"
import type { Storage } from "./Storage.js"

/** A part of an image, with Java expressions for its 1-based start and its length (`-1` is up to the end). */
export interface Slice {
  readonly start: string
  readonly length: string
}

/** Storage that can be read and written; `after` are the calls that write views back. */
export interface Place {
  readonly type: FieldType
  readonly field: Field
  readonly path: string
  readonly size: number
  readonly after: readonly string[]
  readonly slice?: Slice
}

/** How expressions inside subscripts and reference modifications become values. */
export type Evaluation = (expression: Expression) => Operand

const step = (field: Field, before: string): string => {
  if (field.view === undefined) return before + field.member
  const seen = `${before}${field.view.accessor}()`
  return field.view.wrapper === undefined ? seen : `${seen}.${field.member}`
}

/** The Java path of an item, given one index expression for each table around it. */
export const pathOf = (field: Field, indexes: readonly string[]): string => {
  const own = field.occurs === undefined ? indexes.length : indexes.length - 1
  const before = field.owner === undefined ? "" : `${pathOf(field.owner, indexes.slice(0, own))}.`
  const path = step(field, before)
  return field.occurs === undefined ? path : `${path}[${indexes[own] ?? "0"}]`
}

const writeBack = (field: Field, indexes: readonly string[]): readonly string[] => {
  const own = field.occurs === undefined ? indexes.length : indexes.length - 1
  const outer = indexes.slice(0, own)
  const around = field.owner === undefined ? [] : writeBack(field.owner, outer)
  if (field.view === undefined) return around
  const before = field.owner === undefined ? "" : `${pathOf(field.owner, outer)}.`
  return [`${before}${field.view.store}();`, ...around]
}

const indexesOf = (field: Field, subscripts: readonly Expression[], value: Evaluation): readonly string[] => {
  const around = tables(field)
  if (around.length !== subscripts.length) {
    throw new Untranslatable(`${field.name} needs ${around.length} subscripts and has ${subscripts.length}`)
  }
  return around.map((table, place) => {
    const subscript = subscripts[place]
    if (subscript === undefined) throw new Untranslatable(`${field.name} lacks a subscript`)
    const operand = value(subscript)
    const code = operand._tag === "Number" ? (operand.native ?? operand.code) : `${intCode(operand)}`
    return `at(${code}, ${table.occurs ?? 1})`
  })
}

/** The storage of an item with the given subscripts. */
export const fieldPlace = (field: Field, subscripts: readonly Expression[], value: Evaluation): Place => {
  const indexes = indexesOf(field, subscripts, value)
  return {
    type: field.type,
    field,
    path: pathOf(field, indexes),
    size: imageSize(field),
    after: writeBack(field, indexes)
  }
}

/** Where the methods of a level 88 on the item live: the path before them and the index they take. */
export const methodOwner = (
  field: Field,
  subscripts: readonly Expression[],
  value: Evaluation
): { readonly prefix: string; readonly index?: string } => {
  const indexes = indexesOf(field, subscripts, value)
  const outer = field.occurs === undefined ? indexes : indexes.slice(0, -1)
  const prefix = field.owner === undefined ? "" : `${pathOf(field.owner, outer)}.`
  const index = field.occurs === undefined ? undefined : indexes.at(-1)
  return index === undefined ? { prefix } : { prefix, index }
}

const renamedPlace = (range: RenamedRange, value: Evaluation): Place => {
  if (range.through === undefined) return fieldPlace(range.from, [], value)
  const record = fieldPlace(range.record, [], value)
  const start = imageOffset(range.from, range.record)
  const occurrences = range.through.occurs ?? 1
  const end = imageOffset(range.through, range.record) + imageSize(range.through) * occurrences
  return { ...record, size: end - start, slice: { start: String(start + 1), length: String(end - start) } }
}

const sliced = (place: Place, modification: Reference["modification"], value: Evaluation): Place => {
  if (modification === undefined) return place
  if (place.slice !== undefined) throw new Untranslatable("reference modification of a renamed range")
  const start = intCode(value(modification.start))
  const length = modification.length === undefined ? "-1" : intCode(value(modification.length))
  return { ...place, slice: { start, length } }
}

/** The storage that a reference names; throws `Untranslatable` when it names none. */
export const placeOf = (storage: Storage, reference: Reference, value: Evaluation): Place => {
  const meaning = storage.find(reference)
  if (meaning === undefined) throw new Untranslatable(`${reference.name} is not declared`)
  if (meaning._tag === "Condition") throw new Untranslatable(`${reference.name} is a condition name`)
  const place =
    meaning._tag === "Renamed"
      ? renamedPlace(meaning.range, value)
      : fieldPlace(meaning.field, reference.subscripts, value)
  return sliced(place, reference.modification, value)
}

/** A Java expression for the whole image of the storage, ignoring a slice. */
export const imageCode = (place: Place): string =>
  place.type._tag === "Group" ? `${place.path}.toText()` : encoded(place.type, place.path)

/** A Java expression for how many characters a slice covers. */
export const sliceLength = (place: Place, slice: Slice): string =>
  slice.length === "-1" ? `${place.size} - (${slice.start}) + 1` : slice.length

/** The value of the storage; a slice is always text. */
export const placeOperand = (place: Place): Operand =>
  place.slice === undefined
    ? fieldOperand(place.type, place.path)
    : {
        _tag: "Text",
        code: `part(${imageCode(place)}, ${place.slice.start}, ${place.slice.length})`,
        group: false
      }

/** The lines that set the whole image of the storage to a Java expression of the right length. */
export const setImage = (place: Place, image: string): readonly string[] => [
  place.type._tag === "Group"
    ? `${place.path}.fromText(${image});`
    : `${place.path} = ${decoded(place.type, image)};`,
  ...place.after
]

/** The lines that assign a Java expression of the item's own Java type. */
export const assign = (place: Place, code: string): readonly string[] => [
  `${place.path} = ${code};`,
  ...place.after
]
