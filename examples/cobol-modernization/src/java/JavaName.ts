const words = (text: string): readonly string[] => text.split(/\s+/).filter((word) => word !== "")

const keywords = new Set(
  words(`abstract assert boolean break byte case catch char class const continue default do double else enum
    extends false final finally float for goto if implements import instanceof int interface long native new
    null package private protected public return short static strictfp super switch synchronized this throw
    throws transient true try void volatile while var record yield sealed permits`)
)

/** The method names that generated code calls without a receiver or inherits, so no member may bear them. */
export const runtimeMemberNames: readonly string[] = words(`
  getClass hashCode equals toString notify notifyAll wait clone finalize main
  step paragraphCount firstParagraph parameters perform endOf stopRun goback exitProgram pending callable call
  cancel enter returnCode called start always attempt at display displayNoAdvancing clock acceptLine reference
  content numeric num divide power parse encodeFloat decodeFloat displayFloat remainder modulo integer floor
  filled spaces fit fitRight fill overlay part splice compareText compareFill isDigits isAlphabetic isUpper
  isLower reverse trim currentDate tally replace convert bounds edit editComma exchanged editDigits placeSymbol editText
  write read initialize toText fromText ref`)

/** The simple class names that generated code uses, so no generated class may bear them. */
export const runtimeClassNames: readonly string[] = words(`
  CobolRuntime StopRun Goback NotTranslated Outcome Ref Program Programs Numeric Group Image Joiner Splitter
  BigDecimal String StringBuilder Override Object Integer Long Double Math System Class Boolean Character
  Runtime Process Record Enum Void Number Thread Module Package Throwable Exception Error Iterable Comparable
  Deprecated SuppressWarnings FunctionalInterface SafeVarargs`)

const parts = (name: string): readonly string[] =>
  name
    .normalize("NFD")
    .replace(/\p{M}+/gu, "")
    .replace(/[^A-Za-z0-9]+/g, " ")
    .trim()
    .toLowerCase()
    .split(" ")
    .filter((part) => part !== "")

const capitalised = (part: string): string => part.charAt(0).toUpperCase() + part.slice(1)

const startSafely = (name: string, prefix: string): string => (/^[0-9]/.test(name) ? prefix + name : name)

/** The name in camelCase, never a Java keyword and never starting with a digit. */
export const camelCase = (name: string, digitPrefix = "n"): string => {
  const [head = "item", ...tail] = parts(name)
  const camel = startSafely([head, ...tail.map(capitalised)].join(""), digitPrefix)
  return keywords.has(camel) ? `${camel}Item` : camel
}

/** The name in PascalCase; the runtime finds called programs by this very rule. */
export const pascalCase = (name: string): string => {
  const pascal = parts(name).map(capitalised).join("")
  return startSafely(pascal === "" ? "Item" : pascal, "P")
}

/** The class name of a program; a name that generated code needs itself gets the ending `Program`. */
export const programClassName = (name: string): string => {
  const pascal = pascalCase(name)
  return runtimeClassNames.includes(pascal) ? `${pascal}Program` : pascal
}

/** The name in CONSTANT_CASE after an optional prefix, never starting with a digit. */
export const constantCase = (name: string, prefix = ""): string => {
  const [head = "item", ...tail] = prefix === "" ? parts(name) : [prefix, ...parts(name)]
  return startSafely([head, ...tail].join("_"), "n_").toUpperCase()
}

/** Gives out names that differ from each other even where letter case does not count, as in file systems. */
export class NameScope {
  readonly #taken: Set<string>

  constructor(reserved: readonly string[] = []) {
    this.#taken = new Set(reserved.map((name) => name.toLowerCase()))
  }

  /** Takes the wanted name, with a number behind it if it is taken. */
  claim(wanted: string): string {
    let name = wanted
    for (let number = 2; this.#taken.has(name.toLowerCase()); number += 1) name = `${wanted}${number}`
    this.#taken.add(name.toLowerCase())
    return name
  }
}
