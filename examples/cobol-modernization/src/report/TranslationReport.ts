import type { TranslationStatistics } from "../java/JavaClass.js"
import type { JavacResult } from "../java/Javac.js"
import { code, list, page, plain, table } from "./Markdown.js"

/** One translated program; `by` names who translated it. */
export interface Translation {
  readonly program: string
  readonly className: string
  readonly by: string
  readonly statistics?: TranslationStatistics
}

const compilationText = (compilation: JavacResult | null): string => {
  if (compilation === null) return "Nothing was compiled."
  if (!compilation.available) return `Nothing was compiled: ${plain(compilation.reason)}`
  if (compilation.ok)
    return `Everything compiles: javac made ${compilation.classes.length} class files without an error.`
  return list(
    compilation.diagnostics.map(({ file, line, message }) => `${code(`${file}:${line}`)} ${plain(message)}`)
  )
}

/** `translation.md`: how much of each program is Java now, what is left to do by hand, and what the compiler said. */
export const translationReport = (
  translations: readonly Translation[],
  failures: readonly { readonly item: string; readonly reason: string }[],
  compilation: JavacResult | null
): string => {
  const sum = (of: (statistics: TranslationStatistics) => number) =>
    translations.reduce((total, { statistics }) => total + (statistics === undefined ? 0 : of(statistics)), 0)
  const share = (translated: number, statements: number) =>
    statements === 0 ? "" : `${Math.round((100 * translated) / statements)} %`
  const total = { statements: sum((each) => each.statements), translated: sum((each) => each.translated) }
  return page(
    "# Translation",
    table(
      ["Program", "Class", "By", "Statements", "Translated", "Left to do", "Share"],
      [
        ...translations.map(({ by, className, program, statistics }) => [
          program,
          className,
          by,
          statistics?.statements ?? "",
          statistics?.translated ?? "",
          statistics?.todo ?? "",
          statistics === undefined ? "" : share(statistics.translated, statistics.statements)
        ]),
        [
          "Total",
          "",
          "",
          total.statements,
          total.translated,
          sum((each) => each.todo),
          share(total.translated, total.statements)
        ]
      ]
    ),
    "## Compilation",
    compilationText(compilation),
    "## Failed",
    list(failures.map(({ item, reason }) => `${code(item)}: ${plain(reason)}`)),
    "## Left to do by hand",
    list(
      translations.flatMap(({ program, statistics }) =>
        (statistics?.todoLines ?? []).map(
          ({ file, line, text }) => `${plain(program)} ${code(`${file}:${line}`)} ${code(text)}`
        )
      )
    )
  )
}
