import * as nodes from "./sourceNodes.js"
import { deepest, type SourceText, type TextProblem, tooDeep } from "./sourceText.js"
import { checkNames, compose } from "./yamlSource.js"

const space = /[ \t\n\r]+/y
const comment = /\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|#[^\n]*/y
const string = /"[^"\\]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\]*)*"/y
const unescaped = /(?![\x7f-\x9f])\p{Cc}/u
const scalar = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.+-])|(?:true|false|null)(?!\w)/y

type Expecting =
  | "a value"
  | "a value or ]"
  | "a name"
  | "a name or }"
  | "a colon"
  | "a comma"
  | "nothing more"

interface Scanned {
  /** The text with spaces for what JSON does not have and can be passed over, or `undefined` where it is no JSON. */
  readonly text: string | undefined
  readonly problems: ReadonlyArray<TextProblem>
}

/** Reads a text as strictly as JSON is defined; only comments and commas before an end are reported and passed over. */
const scan = (text: string): Scanned => {
  const problems: Array<TextProblem> = []
  const blanks: Array<readonly [number, number]> = []
  const open: Array<"}" | "]"> = []
  let expecting = "a value" as Expecting
  let comma = -1
  let at = 0

  const report = (offset: number, message: string) => problems.push({ offset, rule: "syntax", message })
  const take = (pattern: RegExp): number => {
    pattern.lastIndex = at
    return pattern.exec(text)?.[0].length ?? 0
  }
  const ended = (): Expecting => (open.length === 0 ? "nothing more" : "a comma")
  const close = (character: string): boolean => {
    if (open.at(-1) !== character || expecting === "a colon") return false
    if (expecting === "a value" || expecting === "a name") {
      if (comma < 0) return false
      report(comma, "JSON has no comma before an end; remove it")
      blanks.push([comma, comma + 1])
    }
    open.pop()
    expecting = ended()
    return true
  }
  /** Takes one character of punctuation, where it may stand. */
  const punctuation = (character: string): boolean => {
    if (character === "}" || character === "]") return close(character)
    if (character === ":") {
      if (expecting !== "a colon") return false
      expecting = "a value"
      comma = -1
      return true
    }
    if (character === ",") {
      if (expecting !== "a comma") return false
      expecting = open.at(-1) === "}" ? "a name" : "a value"
      comma = at
      return true
    }
    if ((character !== "{" && character !== "[") || !expecting.startsWith("a value")) return false
    open.push(character === "{" ? "}" : "]")
    expecting = character === "{" ? "a name or }" : "a value or ]"
    comma = -1
    return true
  }
  const word = (): number => {
    const quoted = take(string)
    const length = unescaped.test(text.slice(at, at + quoted)) ? 0 : quoted
    if (expecting.startsWith("a name")) {
      if (length > 0) expecting = "a colon"
      return length
    }
    if (!expecting.startsWith("a value")) return 0
    const taken = length || take(scalar)
    if (taken > 0) expecting = ended()
    return taken
  }

  while (at < text.length) {
    const passed = take(space)
    const commented = passed === 0 ? take(comment) : 0
    if (commented > 0) {
      report(at, "JSON has no comments; remove it, or make this a YAML file")
      blanks.push([at, at + commented])
    }
    const taken = passed + commented || (punctuation(text[at] ?? "") ? 1 : word())
    if (taken === 0) break
    at += taken
    if (open.length > deepest) {
      report(at - 1, tooDeep)
      return { text: undefined, problems }
    }
  }
  if (at < text.length || expecting !== "nothing more") {
    const found =
      at < text.length ? JSON.stringify(/^.[^\s,]{0,19}/su.exec(text.slice(at, at + 40))?.[0]) : "the end"
    const awaited = expecting === "a comma" ? `a comma or ${open.at(-1)}` : expecting
    report(at, `this is not JSON: ${found} where ${awaited} must be`)
    return { text: undefined, problems }
  }
  let cleaned = ""
  let done = 0
  for (const [from, to] of blanks.toSorted(([a], [b]) => a - b)) {
    cleaned += text.slice(done, from) + text.slice(from, to).replace(/[^\n\r]/g, " ")
    done = to
  }
  cleaned += text.slice(done)
  return { text: cleaned, problems }
}

/** Reads JSON, as strictly as it is defined; a name that is there twice is a problem too. */
export const readJson = (text: string): SourceText => {
  const scanned = scan(text)
  const problems = [...scanned.problems]
  const nowhere = { value: undefined, problems, offsetOf: () => 0, pathAt: () => "" }
  if (scanned.text === undefined) return nowhere
  // JSON is YAML, of which only the places are of interest here.
  const [document] = compose(scanned.text, () => undefined)
  if (document === undefined) return { ...nowhere, value: JSON.parse(scanned.text) }
  checkNames(document, (problem) => problems.push(problem))
  return {
    value: JSON.parse(scanned.text),
    problems,
    offsetOf: (path, at) => nodes.offsetOf(document, path, at),
    pathAt: (offset) => nodes.pathAt(document, offset)
  }
}
