import type { Program } from "../cobol/Ast.js"
import { ConditionWriter } from "./ConditionWriter.js"
import { descriptors, groupClasses, memberLines } from "./DataClass.js"
import { Evaluation } from "./Evaluation.js"
import { programClassName } from "./JavaName.js"
import { block, commentText, indent } from "./JavaText.js"
import { type NumberedParagraph, Procedure } from "./Procedure.js"
import { referenceTo } from "./ServiceWriter.js"
import { type SourceLine, SourceText } from "./SourceText.js"
import { StatementWriter, type TodoLine } from "./StatementWriter.js"
import { Storage } from "./Storage.js"
import { type Body, sequence, Translation, through } from "./Translation.js"

/** The settings of the generator; `className` overrides the name that follows from the program's own. */
export interface JavaOptions {
  readonly packageName: string
  readonly className?: string
  readonly sourceLine?: SourceLine
}

/** How much of a program was translated; every marked statement is listed with its original text. */
export interface TranslationStatistics {
  readonly statements: number
  readonly translated: number
  readonly todo: number
  readonly todoLines: readonly TodoLine[]
}

/** One generated class as plain data. */
export interface JavaClass {
  readonly className: string
  readonly fileName: string
  readonly source: string
  readonly statistics: TranslationStatistics
}

const spaced = (chunks: readonly (readonly string[])[]): readonly string[] =>
  chunks.filter((chunk) => chunk.length > 0).flatMap((chunk) => ["", ...chunk])

const longestMethod = 800

const inChunks = (bodies: readonly Body[]): readonly (readonly Body[])[] => {
  const chunks: Body[][] = [[]]
  let lines = 0
  for (const body of bodies) {
    if (lines > 0 && lines + body.lines.length > longestMethod) {
      chunks.push([])
      lines = 0
    }
    chunks.at(-1)?.push(body)
    lines += body.lines.length
  }
  return chunks
}

const paragraphMethod = (
  paragraph: NumberedParagraph,
  shared: ConstructorParameters<typeof Translation>[0],
  writer: StatementWriter
): readonly string[] => {
  const t = new Translation(shared, paragraph, writer.write)
  const chunks = inChunks(paragraph.sentences.flatMap((sentence) => t.sentence(sentence)))
  const method = (name: string, body: Body, end: string) =>
    block(`private int ${name}()`, body.completes ? [...body.lines, `return ${end};`] : body.lines)
  const name = paragraph.name === "" ? "the statements before the first paragraph" : paragraph.name
  const where = paragraph.section === "" ? "" : ` OF ${paragraph.section}`
  const note = `/** ${commentText(name + where)} */`
  const end = `endOf(${paragraph.constant})`
  if (chunks.length === 1) return [note, ...method(paragraph.method, sequence(chunks[0] ?? []), end)]
  // The parts exist because the Java machine limits the size of a method.
  const parts = chunks.map((bodies, place) => ({
    name: shared.storage.members.claim(`${paragraph.method}Part${place + 1}`),
    body: sequence(bodies)
  }))
  const calls = parts.flatMap((part, place) => [
    `int next_${place} = ${part.name}();`,
    ...block(`if (next_${place} != NEXT_PART)`, [`return next_${place};`])
  ])
  return [
    note,
    ...method(paragraph.method, through(calls), end),
    ...parts.flatMap((part) => ["", ...method(part.name, part.body, "NEXT_PART")])
  ]
}

const dispatcher = (paragraphs: readonly NumberedParagraph[]): readonly string[] => [
  "@Override",
  ...block("protected int step(int paragraph_)", [
    "return switch (paragraph_) {",
    ...indent([
      ...paragraphs.map(({ constant, method }) => `case ${constant} -> ${method}();`),
      'default -> throw new IllegalStateException("no paragraph " + paragraph_);'
    ]),
    "};"
  ])
]

const overriding = (head: string, result: string): readonly string[] => [
  "@Override",
  ...block(head, [`return ${result};`])
]

const parameters = (program: Program, storage: Storage, evaluation: Evaluation): readonly string[] => {
  const using = program.procedure?.using ?? []
  const known = using.filter(({ name }) => storage.find({ name, qualifiers: [] })?._tag === "Field")
  if (known.length === 0) return []
  const references = known.map(({ name }) =>
    referenceTo(evaluation.place({ _tag: "Reference", name, qualifiers: [], subscripts: [] }))
  )
  return overriding("protected Ref[] parameters()", `new Ref[] {${references.join(", ")}}`)
}

/**
 * The Java class for a program. It compiles together with the runtime of the same package whatever the
 * program contains; statements without a Java form are marked with `TODO(cobol)` and stop the program
 * when control reaches them, unless `pending` is overridden. Nested programs are left to the caller.
 */
export const javaClass = (program: Program, options: JavaOptions): JavaClass => {
  const className = options.className ?? programClassName(program.name)
  const storage = new Storage(program, className)
  const procedure = new Procedure(program, storage.members, storage.constants)
  const evaluation = new Evaluation(storage)
  const conditions = new ConditionWriter(storage, evaluation)
  const writer = new StatementWriter(new SourceText(program, options.sourceLine ?? (() => undefined)))
  const shared = { storage, procedure, evaluation, conditions }
  const methods = procedure.paragraphs.map((paragraph) => paragraphMethod(paragraph, shared, writer))
  const sections = procedure.sections.map(({ name, method, first, last }) => [
    `/** SECTION ${commentText(name)} */`,
    ...block(`private void ${method}()`, [`perform(${first.constant}, ${last.constant});`])
  ])
  const constants = procedure.paragraphs.map(
    ({ constant, number }) => `private static final int ${constant} = ${number};`
  )
  const body = spaced([
    descriptors(storage.roots),
    memberLines(storage.roots),
    constants,
    [
      "/** Runs the program as the main program of a process. */",
      ...block("public static void main(String[] arguments)", [`start(new ${className}());`])
    ],
    dispatcher(procedure.paragraphs),
    overriding("protected int paragraphCount()", String(procedure.paragraphs.length)),
    procedure.entry === 0 ? [] : overriding("protected int firstParagraph()", String(procedure.entry)),
    parameters(program, storage, evaluation),
    ...sections,
    ...methods,
    ...groupClasses(storage.roots)
  ])
  const todoLines = writer.todoLines.map((todo) => ({ ...todo }))
  const imports = ["java.math.BigDecimal"].map((name) => `import ${name};`)
  const source = [
    `package ${options.packageName};`,
    "",
    `import static ${options.packageName}.CobolRuntime.*;`,
    "",
    ...imports,
    "",
    `/** The COBOL program ${commentText(program.name)}. */`,
    '@SuppressWarnings("unused")',
    `public final class ${className} extends CobolRuntime.Program {`,
    ...indent(body.slice(1)),
    "}",
    ""
  ].join("\n")
  const todo = todoLines.length
  return {
    className,
    fileName: `${className}.java`,
    source,
    statistics: { statements: writer.statements, translated: writer.statements - todo, todo, todoLines }
  }
}
