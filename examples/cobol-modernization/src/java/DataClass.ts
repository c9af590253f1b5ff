import { move } from "./Assignment.js"
import { anyValue, valueOperand } from "./Comparison.js"
import { type ConditionMethods, type Field, imageSize, stored } from "./Field.js"
import { decoded, descriptor, encoded, filledText, initialValue, javaType, leafSize } from "./FieldType.js"
import { block, commentText } from "./JavaText.js"
import { fieldOperand } from "./Operand.js"
import type { Place } from "./Place.js"

const loop = (count: number, body: readonly string[]): readonly string[] =>
  block(`for (int i_ = 0; i_ < ${count}; i_++)`, body)

const each = (field: Field, body: (path: string) => string): readonly string[] =>
  field.occurs === undefined ? [body(field.member)] : loop(field.occurs, [body(`${field.member}[i_]`)])

const writeLines = (field: Field): readonly string[] => {
  const { type } = field
  return each(field, (path) =>
    type._tag === "Group" ? `${path}.write(out_);` : `out_.append(${encoded(type, path)});`
  )
}

const readLines = (field: Field): readonly string[] => {
  const { type } = field
  return each(field, (path) =>
    type._tag === "Group"
      ? `${path}.read(in_);`
      : `${path} = ${decoded(type, `in_.next(${leafSize(type)})`)};`
  )
}

const initializeLines = (field: Field): readonly string[] => {
  const { type } = field
  if (field.name === "FILLER" && type._tag !== "Group") return []
  return each(field, (path) =>
    type._tag === "Group" ? `${path}.initialize();` : `${path} = ${initialValue(type, undefined)};`
  )
}

const declaration = (field: Field): readonly string[] => {
  const { type, occurs, member, item } = field
  const java = javaType(type)
  const note = `/** ${String(item.level).padStart(2, "0")} ${commentText(field.name)}${pictureNote(field)} */`
  if (type._tag === "Group") {
    if (occurs === undefined) return [note, `final ${java} ${member} = new ${java}();`]
    return [note, `final ${java}[] ${member} = filled(new ${java}[${occurs}], ${java}::new);`]
  }
  const value = initialValue(type, item.value)
  if (occurs === undefined) return [note, `${java} ${member} = ${value};`]
  return [note, `final ${java}[] ${member} = filled(new ${java}[${occurs}], ${value});`]
}

const pictureNote = ({ item }: Field): string => {
  const picture = item.picture === undefined ? "" : ` PIC ${commentText(item.picture.text)}`
  const usage = item.usage === "DISPLAY" ? "" : ` ${item.usage}`
  const occurs = item.occurs === undefined ? "" : ` OCCURS ${item.occurs.max}`
  const depending =
    item.occurs?.dependingOn === undefined ? "" : ` DEPENDING ON ${item.occurs.dependingOn.name}`
  return `${picture}${usage}${occurs}${commentText(depending)}`
}

const groupValue = (field: Field): readonly string[] => {
  if (field.type._tag !== "Group" || field.item.value === undefined || field.view !== undefined) return []
  const text = filledText(field.item.value, imageSize(field))
  return each(field, (path) => `${path}.fromText(${text});`)
}

const viewLines = (field: Field): readonly string[] => {
  const { view, type } = field
  if (view === undefined) return []
  const held = view.wrapper ?? javaType(type)
  const { base, holder } = view
  const size = imageSize(field) * (field.occurs ?? 1)
  return [
    "/**",
    ` * ${commentText(field.name)} REDEFINES ${commentText(base.name)}: the same ${size} bytes seen in another way. This copy is made`,
    ` * anew from ${commentText(base.name)} at every access; call ${view.store} after changing it.`,
    " */",
    `private final ${held} ${holder} = new ${held}();`,
    "",
    ...block(`${held} ${view.accessor}()`, [
      "StringBuilder out_ = new StringBuilder();",
      ...writeLines(base),
      `${holder}.fromText(overlay(${holder}.toText(), out_.toString()));`,
      `return ${holder};`
    ]),
    "",
    ...block(`void ${view.store}()`, [
      "StringBuilder out_ = new StringBuilder();",
      ...writeLines(base),
      `Image in_ = new Image(overlay(out_.toString(), ${holder}.toText()));`,
      ...readLines(base)
    ])
  ]
}

const conditionLines = (methods: ConditionMethods): readonly string[] => {
  const { field, condition } = methods
  const parameter = field.occurs === undefined ? "" : "int index_"
  const element = field.occurs === undefined ? "" : "[index_]"
  const seen =
    field.view === undefined
      ? field.member
      : field.view.wrapper === undefined
        ? `${field.view.accessor}()`
        : `${field.view.accessor}().${field.member}`
  const path = seen + element
  const place: Place = {
    type: field.type,
    field,
    path,
    size: imageSize(field),
    after: field.view === undefined ? [] : [`${field.view.store}();`]
  }
  const test = anyValue(fieldOperand(field.type, path), condition.values)
  const truth = condition.values[0]
  const whenTrue = truth === undefined ? [] : move(place, valueOperand(truth.from))
  const whenFalse = condition.whenFalse === undefined ? [] : move(place, valueOperand(condition.whenFalse))
  const separator = parameter === "" ? "" : ", "
  const setter =
    whenFalse.length === 0
      ? block("if (value_)", whenTrue)
      : [...block("if (value_)", whenTrue).slice(0, -1), ...block("} else", whenFalse)]
  return [
    `/** 88 ${commentText(condition.name)} */`,
    ...block(`boolean ${methods.test}(${parameter})`, [`return ${test};`]),
    "",
    ...block(`void ${methods.set}(${parameter}${separator}boolean value_)`, setter)
  ]
}

const spaced = (chunks: readonly (readonly string[])[]): readonly string[] =>
  chunks.filter((chunk) => chunk.length > 0).flatMap((chunk, place) => (place === 0 ? chunk : ["", ...chunk]))

/** The declarations that a class needs for these items: fields, VALUEs of groups, views and condition methods. */
export const memberLines = (fields: readonly Field[]): readonly string[] => {
  const plain = stored(fields)
  const values = plain.flatMap(groupValue)
  return spaced([
    plain.flatMap(declaration),
    values.length === 0 ? [] : block("", values).map((line) => (line.trimStart() === "{" ? "{" : line)),
    ...fields.map(viewLines),
    ...fields.flatMap((field) => field.conditions.map(conditionLines))
  ])
}

const groupClass = (name: string, fields: readonly Field[], comment: string): readonly string[] => {
  const plain = stored(fields)
  return [
    `/** ${commentText(comment)} */`,
    ...block(
      `static final class ${name} extends Group`,
      spaced([
        memberLines(fields),
        ["@Override", ...block("protected void write(StringBuilder out_)", plain.flatMap(writeLines))],
        ["@Override", ...block("protected void read(Image in_)", plain.flatMap(readLines))],
        ["@Override", ...block("protected void initialize()", plain.flatMap(initializeLines))]
      ])
    )
  ]
}

/** The nested classes for all groups among these items and below, one chunk of lines for each class. */
export const groupClasses = (fields: readonly Field[]): readonly (readonly string[])[] =>
  fields.flatMap((field) => {
    const own =
      field.type._tag === "Group"
        ? [
            groupClass(
              field.type.className,
              field.children,
              `${String(field.item.level).padStart(2, "0")} ${field.name}`
            )
          ]
        : []
    const unviewed: Field = withoutView(field)
    const wrapper =
      field.view?.wrapper === undefined
        ? []
        : [
            groupClass(
              field.view.wrapper,
              [unviewed],
              `Holds ${field.name}, which redefines ${field.view.base.name}`
            )
          ]
    return [...own, ...wrapper, ...groupClasses(field.children)]
  })

const withoutView = ({ view: _view, conditions: _conditions, ...field }: Field): Field => ({
  ...field,
  conditions: []
})

/** The descriptors of all numbers among these items and below. */
export const descriptors = (fields: readonly Field[]): readonly string[] =>
  fields.flatMap((field) => [
    ...(field.type._tag === "Number" ? [descriptor(field.type)] : []),
    ...descriptors(field.children)
  ])
