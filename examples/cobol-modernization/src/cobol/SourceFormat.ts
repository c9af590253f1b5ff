/** How the columns of a line are to be read; `variable` is fixed without a right margin. */
export type SourceFormat = "fixed" | "free" | "variable"

const directive =
  /^\s*(?:\d{6})?\s*(?:>>\s*SOURCE\s+(?:FORMAT\s+)?(?:IS\s+)?|\$\s*SET\s+(?:\w+\s+)?SOURCEFORMAT\s*[("' ]*)(FREE|FIXED|VARIABLE)/i

/** The format a directive line switches to, or undefined for any other line. */
export const formatDirective = (line: string): SourceFormat | undefined => {
  if (!line.includes(">>") && !line.includes("$")) return undefined
  const word = directive.exec(line.slice(0, 200))?.[1]?.toUpperCase()
  if (word === "FREE") return "free"
  if (word === "FIXED") return "fixed"
  return word === "VARIABLE" ? "variable" : undefined
}

/** The line with tabs expanded to stops of eight columns. */
export const expandTabs = (line: string): string => {
  if (!line.includes("\t")) return line
  let expanded = ""
  for (const char of line) expanded += char === "\t" ? " ".repeat(8 - (expanded.length % 8)) : char
  return expanded
}

const startsLikeCode =
  /^(?:\d{1,2}\s+[A-Z]|(?:IDENTIFICATION|ID|ENVIRONMENT|DATA|PROCEDURE)\s+DIVISION|PROGRAM-ID|WORKING-STORAGE|LINKAGE|FILE-CONTROL|SELECT|FD|COPY|MOVE|IF|END-\w+|PERFORM|DISPLAY|ADD|COMPUTE|CALL|STOP|GOBACK|EVALUATE|WHEN|ELSE|SET|EXEC|OPEN|READ|WRITE|CLOSE|GO)\b/i

const vote = (line: string): number => {
  const content = line.trimEnd()
  if (content.trim() === "") return 0
  const indent = content.length - content.trimStart().length
  const indicator = content[6] ?? " "
  const sequence = content.slice(0, 6)
  if (indent < 6 && content.trimStart().startsWith("*>")) return 2
  if (indent < 6 && startsLikeCode.test(content.slice(indent, indent + 40))) return 3
  if (/^[0-9 ]{6}$/.test(sequence) && "*/-".includes(indicator) && content.length > 6) return -3
  if (/^\d{6}$/.test(sequence) && indicator === " ") return -3
  if (indent < 6 && /^[A-Z0-9]{1,6} *$/i.test(sequence) && indicator === " " && content.length > 7) {
    return /^.{7,10}[A-Z0-9]/i.test(content) && sequence.trimEnd().length === 6 ? -1 : 0
  }
  if (content.length > 80) return 1
  if (indent >= 7 && content.length > 72 && /\S/.test(content[71] ?? " ") && /\S/.test(content[72] ?? " ")) {
    return /^\d{8}$/.test(content.slice(72, 80)) ? -1 : 1
  }
  if (indent < 6 && /^[a-z]/i.test(content.slice(indent))) return 1
  return indent === 7 || indent === 11 ? -0.5 : 0
}

/** The format of a whole text: what the first directive says, otherwise what most lines look like. */
export const detectFormat = (text: string): SourceFormat => {
  let score = 0
  let seen = 0
  for (const line of text.split("\n")) {
    const explicit = formatDirective(line)
    if (explicit !== undefined) return explicit
    if (line.trim() !== "" && seen < 2000) {
      score += vote(expandTabs(line))
      seen++
    }
  }
  return score > 0 ? "free" : "fixed"
}
