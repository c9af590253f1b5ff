import type { DataItem, ValueLiteral } from "../cobol/DataItem.js"
import { javaString } from "./JavaText.js"

/** How a data item appears in Java; `constant` names the `Numeric` that describes a number. */
export type FieldType =
  | { readonly _tag: "Group"; readonly className: string }
  | { readonly _tag: "Text"; readonly length: number; readonly justified: boolean }
  | {
      readonly _tag: "Edited"
      readonly length: number
      readonly picture: string
      readonly numeric: boolean
      readonly blankWhenZero: boolean
      readonly comma: boolean
    }
  | {
      readonly _tag: "Number"
      readonly java: "int" | "long" | "BigDecimal"
      readonly constant: string
      readonly digits: number
      readonly scale: number
      readonly signed: boolean
      readonly comma: boolean
      readonly usage: string
      readonly size: number
    }
  | { readonly _tag: "Float"; readonly size: number }

/** An elementary field type. */
export type LeafType = Exclude<FieldType, { readonly _tag: "Group" }>

const expanded = (picture: string): string =>
  picture
    .toUpperCase()
    .replace(/(.)\((\d+)\)/g, (_, symbol: string, count: string) => symbol.repeat(Number(count)))

const usageText = (item: DataItem): string => {
  if (item.usage !== "DISPLAY" && item.usage !== "NATIONAL") return item.usage
  const leading = item.sign?.leading === true ? "_LEADING" : ""
  const separate = item.sign?.separate === true ? "_SEPARATE" : ""
  return `DISPLAY${leading}${separate}`
}

const numberType = (item: DataItem, constant: string, index: boolean, comma: boolean): FieldType => {
  const digits = item.picture?.digits ?? 9
  const scale = item.picture?.scale ?? 0
  const size = Math.max(item.size, 1)
  const capacity = item.usage === "COMP-5" || item.usage === "COMP-X" ? Math.max(digits, size * 2.5) : digits
  const whole = scale === 0
  return {
    _tag: "Number",
    java: whole && capacity <= 9 ? "int" : whole && capacity <= 18 ? "long" : "BigDecimal",
    constant,
    digits,
    scale,
    signed: item.picture?.signed ?? true,
    comma,
    usage: index ? "INDEX" : usageText(item),
    size: index ? 4 : size
  }
}

/**
 * The type of an elementary item; `constant` is the name that a number's descriptor will have, `comma` says
 * whether DECIMAL-POINT IS COMMA.
 */
export const leafType = (item: DataItem, constant: string, comma: boolean): FieldType => {
  if (item.usage === "COMP-1") return { _tag: "Float", size: 4 }
  if (item.usage === "COMP-2") return { _tag: "Float", size: 8 }
  if (item.usage === "INDEX") return numberType(item, constant, true, comma)
  const picture = item.picture
  if (picture === undefined) {
    const binary = item.usage === "BINARY" || item.usage === "COMP-5"
    return binary
      ? numberType(item, constant, false, comma)
      : { _tag: "Text", length: Math.max(item.size, 1), justified: false }
  }
  switch (picture.category) {
    case "numeric":
      return numberType(item, constant, false, comma)
    case "numeric-edited":
    case "alphanumeric-edited":
      return {
        _tag: "Edited",
        length: Math.max(picture.length, 1),
        picture: expanded(picture.text),
        numeric: picture.category === "numeric-edited",
        blankWhenZero: item.blankWhenZero,
        comma
      }
    default:
      return { _tag: "Text", length: Math.max(picture.length, 1), justified: item.justified }
  }
}

/** The Java type of one occurrence. */
export const javaType = (type: FieldType): string => {
  switch (type._tag) {
    case "Group":
      return type.className
    case "Number":
      return type.java
    case "Float":
      return "double"
    default:
      return "String"
  }
}

/** The bytes of one elementary occurrence in an image. */
export const leafSize = (type: LeafType): number =>
  type._tag === "Number" || type._tag === "Float" ? type.size : type.length

/** A Java expression for the image of an elementary value. */
export const encoded = (type: LeafType, value: string): string => {
  if (type._tag === "Number") return `${type.constant}.encode(${value})`
  return type._tag === "Float" ? `encodeFloat(${value}, ${type.size})` : value
}

/** A Java expression for the elementary value that an image of the right size stands for. */
export const decoded = (type: LeafType, image: string): string => {
  if (type._tag === "Float") return `decodeFloat(${image})`
  if (type._tag !== "Number") return image
  const suffix = type.java === "int" ? "Int" : type.java === "long" ? "Long" : ""
  return `${type.constant}.decode${suffix}(${image})`
}

/** A Java expression that cuts a BigDecimal expression to what the item keeps. */
export const kept = (type: Extract<FieldType, { readonly _tag: "Number" }>, value: string): string => {
  const suffix = type.java === "int" ? "Int" : type.java === "long" ? "Long" : "Decimal"
  return `${type.constant}.to${suffix}(${value})`
}

/** The declaration of a number's descriptor. */
export const descriptor = (type: Extract<FieldType, { readonly _tag: "Number" }>): string =>
  `private static final Numeric ${type.constant} = numeric(${type.digits}, ${type.scale}, ${type.signed}, ${javaString(type.usage)}, ${type.size});`

const figurativeUnits = {
  ZERO: "0",
  SPACE: " ",
  "HIGH-VALUE": "\u00ff",
  "LOW-VALUE": "\u0000",
  QUOTE: '"',
  NULL: "\u0000"
} as const

/** The one-character text that a figurative constant repeats. */
export const figurativeText = (name: keyof typeof figurativeUnits): string => figurativeUnits[name]

/** The characters that a text literal stands for. */
export const literalText = (literal: Extract<ValueLiteral, { readonly _tag: "Text" }>): string =>
  literal.kind === "hex"
    ? (literal.value.match(/../g) ?? [])
        .map((pair) => String.fromCharCode(Number.parseInt(pair, 16)))
        .join("")
    : literal.value

/** A Java expression for a text brought to a length; long padding is left to the runtime. */
export const paddedText = (text: string, length: number, right = false): string => {
  const exact = right ? text.slice(-length).padStart(length) : text.slice(0, length).padEnd(length)
  return exact.length > 40 && text.length < exact.length
    ? `${right ? "fitRight" : "fit"}(${javaString(text)}, ${length})`
    : javaString(exact)
}

/** A Java expression for a literal brought to a length. */
export const filledText = (value: ValueLiteral | undefined, length: number, right = false): string => {
  if (value === undefined) return `spaces(${length})`
  if (value._tag === "Figurative") {
    return value.name === "SPACE"
      ? `spaces(${length})`
      : `fill(${javaString(figurativeText(value.name))}, ${length})`
  }
  if (value._tag === "All") return `fill(${javaString(value.value === "" ? " " : value.value)}, ${length})`
  return paddedText(value._tag === "Text" ? literalText(value) : value.text, length, right)
}

/** A Java expression for a BigDecimal, or for a text where the PICTURE is alphanumeric, in edited form. */
export const edited = (type: Extract<FieldType, { readonly _tag: "Edited" }>, value: string): string => {
  const picture = javaString(type.picture)
  if (!type.numeric) return `editText(${value}, ${picture})`
  return `${type.comma ? "editComma" : "edit"}(${value}, ${picture}, ${type.blankWhenZero})`
}

/** The Java expression that a field starts with: its VALUE, or zero or spaces without one. */
export const initialValue = (type: LeafType, value: ValueLiteral | undefined): string => {
  if (type._tag === "Text") return filledText(value, type.length, type.justified)
  if (type._tag === "Edited") {
    if (value !== undefined && value._tag !== "Number") return filledText(value, type.length)
    if (!type.numeric) return edited(type, javaString(value?.text ?? ""))
    return edited(type, value === undefined ? "num(0)" : `num(${javaString(value.text)})`)
  }
  const text = value?._tag === "Number" ? value.text : value?._tag === "Text" ? literalText(value) : "0"
  const number = /^[+-]?(\d+\.?\d*|\.\d+)$/.test(text.trim()) ? text.trim() : "0"
  if (type._tag === "Float") return `${number.includes(".") ? number : `${number}.0`}`
  if (type.java !== "BigDecimal" && /^\d{1,9}$/.test(number) && number.length <= type.digits) {
    return `${Number(number)}${type.java === "long" ? "L" : ""}`
  }
  return kept(type, `num(${javaString(number)})`)
}
