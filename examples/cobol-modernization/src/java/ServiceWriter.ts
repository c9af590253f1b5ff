import type { InputOutputBranches } from "../cobol/FileStatement.js"
import type { Accept, Call, CallArgument, Display, Exit, Stop } from "../cobol/Statement.js"
import { move, storeNumber } from "./Assignment.js"
import { type Branch, branches } from "./BranchWriter.js"
import type { Evaluation } from "./Evaluation.js"
import { javaString } from "./JavaText.js"
import { type Operand, textCode, Untranslatable } from "./Operand.js"
import { imageCode, type Place, placeOperand, setImage } from "./Place.js"
import { type Body, jump, type Translation, through } from "./Translation.js"

const clocks = ["DATE", "DATE YYYYMMDD", "DAY", "DAY YYYYDDD", "TIME", "DAY-OF-WEEK"]

const shown = (operand: Operand): string => (operand._tag === "Number" ? operand.shown : textCode(operand))

/** DISPLAY on whatever device. */
export const display = (t: Translation, { operands, noAdvancing }: Display): Body => {
  const values = operands.map((operand) => shown(t.evaluation.value(operand)))
  return through([`display${noAdvancing ? "NoAdvancing" : ""}(${values.join(", ")});`])
}

/** ACCEPT from standard input or the clock. */
export const accept = (t: Translation, { target, from }: Accept): Body => {
  const place = t.evaluation.place(target)
  const source = from?.trim().toUpperCase()
  if (source !== undefined && !clocks.includes(source)) throw new Untranslatable(`ACCEPT FROM ${source}`)
  const code = source === undefined ? "acceptLine()" : `clock(${javaString(source)})`
  return through(move(place, { _tag: "Text", code, group: false }))
}

/** A Java expression that hands the storage to another program by reference. */
export const referenceTo = (place: Place): string => {
  if (place.type._tag === "Group" && place.slice === undefined && place.after.length === 0) {
    return `${place.path}.ref()`
  }
  if (place.slice === undefined) {
    return `reference(() -> ${imageCode(place)}, text_ -> { ${setImage(place, "text_").join(" ")} })`
  }
  const set = move(place, { _tag: "Text", code: "text_", group: false })
  return `reference(() -> ${textCode(placeOperand(place))}, text_ -> { ${set.join(" ")} })`
}

const argument = (evaluation: Evaluation, { mode, value }: CallArgument): string => {
  if (value === undefined) return 'content("")'
  if (value._tag === "Reference") {
    const place = evaluation.place(value)
    if (mode === "REFERENCE") return referenceTo(place)
    return `content(${place.slice === undefined ? imageCode(place) : textCode(placeOperand(place))})`
  }
  return `content(${evaluation.text(value)})`
}

/** CALL by a fixed or a variable name. */
export const call = (t: Translation, statement: Call): Body => {
  if (statement.returning !== undefined) throw new Untranslatable("CALL RETURNING")
  const name = t.evaluation.text(statement.program)
  const values = [name, ...statement.using.map((each) => argument(t.evaluation, each))]
  const calling = `call(${values.join(", ")});`
  const { onException, notOnException } = statement
  if (onException.length === 0 && notOnException.length === 0) return through([calling])
  const after = t.statements(notOnException)
  return branches([
    {
      condition: `callable(${name})`,
      body: { lines: [calling, ...after.lines], completes: after.completes }
    },
    { body: t.statements(onException) }
  ])
}

/** STOP RUN, and STOP with a message for the operator. */
export const stop = (t: Translation, { run, value }: Stop): Body => {
  if (!run) return through(value === undefined ? [] : [`display(${shown(t.evaluation.value(value))});`])
  const code = value === undefined ? [] : returning(t, t.evaluation.number(value))
  return jump([...code, "throw stopRun();"])
}

/** The lines that set the return code of the program. */
export const returning = (t: Translation, code: string): readonly string[] => {
  const { returnCode } = t.storage
  return storeNumber(
    { type: returnCode.type, field: returnCode, path: "returnCode", size: 4, after: [] },
    code,
    false
  )
}

/** EXIT in its forms. */
export const exit = (t: Translation, statement: Exit): Body => {
  switch (statement.of) {
    case "NONE":
      return through([])
    case "PROGRAM": {
      const code =
        statement.returning === undefined ? [] : returning(t, t.evaluation.number(statement.returning))
      return through([...code, "exitProgram();"])
    }
    case "PARAGRAPH":
      return jump([`return endOf(${t.paragraph.constant});`])
    case "SECTION":
      return jump([`return endOf(${t.procedure.endOfSection(t.paragraph).constant});`])
    case "PERFORM":
    case "PERFORM CYCLE": {
      const label = t.leaveLoop(statement.of === "PERFORM CYCLE")
      if (label === undefined) throw new Untranslatable("EXIT PERFORM outside an inline PERFORM")
      return jump([`break ${label};`])
    }
    default:
      throw new Untranslatable(`EXIT ${statement.of}`)
  }
}

const none: InputOutputBranches = { atEnd: [], notAtEnd: [], invalidKey: [], notInvalidKey: [] }

/** What follows an operation that is left to `pending`: the branches for its outcomes. */
export const outcome = (t: Translation, what: string, phrases: Partial<InputOutputBranches>): Body => {
  const pending = `pending(${javaString(what)})`
  const { atEnd, notAtEnd, invalidKey, notInvalidKey } = { ...none, ...phrases }
  const success = [...notAtEnd, ...notInvalidKey]
  if (atEnd.length + invalidKey.length + success.length === 0) return through([`${pending};`])
  const result = t.local("outcome")
  const chain: Branch[] = []
  if (atEnd.length > 0) chain.push({ condition: `${result} == Outcome.AT_END`, body: t.statements(atEnd) })
  if (invalidKey.length > 0) {
    chain.push({ condition: `${result} == Outcome.INVALID_KEY`, body: t.statements(invalidKey) })
  }
  if (success.length > 0) {
    chain.push({ condition: `${result} == Outcome.DONE`, body: t.statements(success) })
  }
  const decision = branches(chain)
  return { lines: [`Outcome ${result} = ${pending};`, ...decision.lines], completes: decision.completes }
}
