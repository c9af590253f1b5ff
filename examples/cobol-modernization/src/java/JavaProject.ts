import type { Program } from "../cobol/Ast.js"
import { type JavaClass, type JavaOptions, javaClass } from "./JavaClass.js"
import { NameScope, programClassName } from "./JavaName.js"
import { type RuntimeFile, runtimeFile } from "./Runtime.js"

/** All Java files of one package, the runtime among them, and the counts of all programs together. */
export interface JavaProject {
  readonly packageName: string
  readonly runtime: RuntimeFile
  readonly classes: readonly JavaClass[]
  readonly statements: number
  readonly translated: number
  readonly todo: number
}

const withNested = (program: Program): readonly Program[] => [program, ...program.nested.flatMap(withNested)]

/**
 * The Java classes for all programs, nested ones included, in one package. Where two programs would have the
 * same class name the later one gets a number, and has to be registered with `Programs` to be called.
 */
export const javaProject = (
  programs: readonly Program[],
  options: Omit<JavaOptions, "className">
): JavaProject => {
  const names = new NameScope()
  const classes = programs
    .flatMap(withNested)
    .map((program) =>
      javaClass(program, { ...options, className: names.claim(programClassName(program.name)) })
    )
  const total = (count: (each: JavaClass) => number) => classes.reduce((sum, each) => sum + count(each), 0)
  return {
    packageName: options.packageName,
    runtime: runtimeFile(options.packageName),
    classes,
    statements: total((each) => each.statistics.statements),
    translated: total((each) => each.statistics.translated),
    todo: total((each) => each.statistics.todo)
  }
}

/** The path of a generated file below a source directory. */
export const javaPath = (packageName: string, fileName: string): string =>
  `${packageName.replaceAll(".", "/")}/${fileName}`
