import { edited, kept, paddedText } from "./FieldType.js"
import { javaString } from "./JavaText.js"
import { numberCode, type Operand, repeatedText, textCode, Untranslatable } from "./Operand.js"
import { assign, imageCode, type Place, setImage, sliceLength } from "./Place.js"

const filling = (source: Operand, length: string): string | undefined => {
  const repeated = repeatedText(source)
  if (repeated === undefined) return undefined
  return repeated === " "
    ? `spaces(${length})`
    : `fill(${javaString(repeated === "" ? " " : repeated)}, ${length})`
}

const imageOf = (source: Operand): string => (source._tag === "Number" ? source.image : textCode(source))

const intoSlice = (place: Place, source: Operand): readonly string[] => {
  if (place.slice === undefined) return []
  const { start, length } = place.slice
  const text = filling(source, sliceLength(place, place.slice)) ?? textCode(source)
  return setImage(place, `splice(${imageCode(place)}, ${start}, ${length}, ${text})`)
}

const numeric = (source: Operand): string => {
  if (source._tag === "Figurative") return source.name === "ZERO" ? "BigDecimal.ZERO" : "num(0)"
  return numberCode(source)
}

const checkPicture = (picture: string): void => {
  if (!/^([-+9Z*$VB0/.,XA]|CR|DB)*$/.test(picture)) throw new Untranslatable(`PICTURE ${picture}`)
}

/** The lines of a MOVE: the value is padded, cut, edited or converted to what the target keeps. */
export const move = (place: Place, source: Operand): readonly string[] => {
  if (place.slice !== undefined) return intoSlice(place, source)
  const { type } = place
  const size = String(place.size)
  const groupSource = source._tag === "Text" && source.group
  switch (type._tag) {
    case "Group":
      return setImage(place, filling(source, size) ?? `fit(${imageOf(source)}, ${size})`)
    case "Text": {
      const right = type.justified && !groupSource
      const cut = right ? "fitRight" : "fit"
      const literal = source._tag === "Text" ? source.literal : undefined
      if (literal !== undefined) return assign(place, paddedText(literal, place.size, right))
      return assign(place, filling(source, size) ?? `${cut}(${textCode(source)}, ${size})`)
    }
    case "Edited": {
      if (groupSource) return assign(place, `fit(${textCode(source)}, ${size})`)
      const zero = source._tag === "Figurative" && source.name === "ZERO"
      const filled = zero && type.numeric ? undefined : filling(source, size)
      if (filled !== undefined) return assign(place, filled)
      checkPicture(type.picture)
      return assign(place, edited(type, type.numeric ? numeric(source) : textCode(source)))
    }
    case "Float":
      return groupSource
        ? setImage(place, `fit(${textCode(source)}, ${size})`)
        : assign(place, `${numeric(source)}.doubleValue()`)
    case "Number":
      return groupSource
        ? setImage(place, `fit(${textCode(source)}, ${size})`)
        : assign(place, simple(place, source) ?? kept(type, numeric(source)))
  }
}

const simple = (place: Place, source: Operand): string | undefined => {
  if (place.type._tag !== "Number" || place.type.java === "BigDecimal") return undefined
  if (source._tag === "Figurative" && source.name === "ZERO") return "0"
  const literal = source._tag === "Number" ? source.native : undefined
  if (literal === undefined || !/^\d{1,9}$/.test(literal)) return undefined
  return literal.length <= place.type.digits ? literal : undefined
}

/** The lines that store a computed BigDecimal expression, rounding first if asked. */
export const storeNumber = (place: Place, value: string, rounded: boolean): readonly string[] => {
  const { type } = place
  if (place.slice !== undefined)
    return intoSlice(place, { _tag: "Text", code: `${value}.toPlainString()`, group: false })
  const round = rounded && type._tag === "Number" ? `${type.constant}.round(${value})` : value
  switch (type._tag) {
    case "Number":
      return assign(place, kept(type, round))
    case "Float":
      return assign(place, `${round}.doubleValue()`)
    case "Edited":
      checkPicture(type.picture)
      if (!type.numeric) return assign(place, edited(type, `${value}.toPlainString()`))
      return assign(place, edited(type, editedValue(place, value, rounded)))
    default:
      return move(place, { _tag: "Text", code: `${round}.toPlainString()`, group: false })
  }
}

const editedScale = (place: Place): number => {
  if (place.type._tag !== "Edited") return 0
  const behind = place.type.picture.split(place.type.comma ? /[,V]/ : /[.V]/)[1] ?? ""
  return behind.replace(/[^9Z*$+-]/g, "").length
}

const editedValue = (place: Place, value: string, rounded: boolean): string =>
  rounded ? `${value}.setScale(${editedScale(place)}, java.math.RoundingMode.HALF_UP)` : value

/** A Java condition that is true when the place takes the BigDecimal expression without a size error. */
export const holds = (place: Place, value: string): string =>
  place.type._tag === "Number" && place.slice === undefined
    ? `${place.type.constant}.holds(${value})`
    : `${value} != null`
