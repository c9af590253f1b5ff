import type { Initialize, Move, SetAssignment, SetStatement } from "../cobol/Statement.js"
import { increase } from "./ArithmeticWriter.js"
import { move, storeNumber } from "./Assignment.js"
import { type Field, imageSize } from "./Field.js"
import { initialValue } from "./FieldType.js"
import { numberCode, Untranslatable } from "./Operand.js"
import { assign, type Place, placeOperand } from "./Place.js"
import { type Body, type Translation, through } from "./Translation.js"

const correspondingLines = (source: Place, target: Place): readonly string[] =>
  source.field.children.flatMap((from) => {
    const to = target.field.children.find((child) => child.name === from.name)
    const usable = (field: Field) => field.view === undefined && field.occurs === undefined
    if (to === undefined || from.name === "FILLER" || !usable(from) || !usable(to)) return []
    const inner = (place: Place, field: Field): Place => ({
      ...place,
      field,
      type: field.type,
      path: `${place.path}.${field.member}`,
      size: imageSize(field)
    })
    const [fromPlace, toPlace] = [inner(source, from), inner(target, to)]
    return from.type._tag === "Group" && to.type._tag === "Group"
      ? correspondingLines(fromPlace, toPlace)
      : move(toPlace, placeOperand(fromPlace))
  })

/** MOVE, also CORRESPONDING. */
export const moveStatement = (t: Translation, statement: Move): Body => {
  const targets = statement.targets.map((target) => t.evaluation.place(target))
  if (statement.corresponding) {
    if (statement.source._tag !== "Reference") throw new Untranslatable("MOVE CORRESPONDING of a value")
    const source = t.evaluation.place(statement.source)
    return through(targets.flatMap((target) => correspondingLines(source, target)))
  }
  const source = t.evaluation.value(statement.source)
  return through(targets.flatMap((target) => move(target, source)))
}

const assignmentLines = (t: Translation, assignment: SetAssignment): readonly string[] => {
  switch (assignment._tag) {
    case "Condition":
      return assignment.targets.flatMap((target) => t.conditions.set(target, assignment.value))
    case "To":
      return assignment.targets.flatMap((target) => {
        if (target._tag === "AddressOf") throw new Untranslatable("SET of an address")
        const place = t.evaluation.place(target)
        const source = t.evaluation.value(assignment.value)
        return place.type._tag === "Number" && source._tag === "Number" && source.native === undefined
          ? storeNumber(place, numberCode(source), false)
          : move(place, source)
      })
    case "Up":
    case "Down": {
      const operation = assignment._tag === "Up" ? "add" : "subtract"
      const by = t.evaluation.number(assignment.by)
      return assignment.targets.flatMap((target) => increase(t.evaluation.place(target), by, operation))
    }
  }
}

/** SET of indexes, numbers and level 88 names. */
export const setStatement = (t: Translation, { assignments }: SetStatement): Body =>
  through(assignments.flatMap((assignment) => assignmentLines(t, assignment)))

/** INITIALIZE without REPLACING. */
export const initialize = (t: Translation, { targets, replacing }: Initialize): Body => {
  if (replacing.length > 0) throw new Untranslatable("INITIALIZE REPLACING")
  return through(
    targets.flatMap((target) => {
      const place = t.evaluation.place(target)
      if (place.slice !== undefined) throw new Untranslatable("INITIALIZE of a part")
      return place.type._tag === "Group"
        ? [`${place.path}.initialize();`, ...place.after]
        : assign(place, initialValue(place.type, undefined))
    })
  )
}
