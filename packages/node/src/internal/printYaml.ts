import { Document, isScalar, type Scalar, visit } from "yaml"

/** What other lines than `\n` end with, what cannot be seen, and half characters: all of it is escaped in quotes. */
const hidden = /(?!\n)[\p{Cc}\p{Zl}\p{Zp}\p{Surrogate}\ufeff]/u

/** Whether a text of several lines can be read as it stands: no line begins or ends with what cannot be seen. */
const isBlock = (text: string): boolean => {
  const lines = text.split("\n")
  if (lines.at(-1) === "") lines.pop()
  return (
    /^\S/.test(text) &&
    lines.at(-1) !== "" &&
    lines.every((line) => line === line.trimEnd() && line[0] !== "\t")
  )
}

const quote = (scalar: Scalar): void => {
  const { value } = scalar
  if (typeof value !== "string") return
  if (hidden.test(value) || value === "<<" || (value.includes("\n") && !isBlock(value)))
    scalar.type = "QUOTE_DOUBLE"
}

/**
 * A value in YAML 1.2. Texts that readers of YAML 1.1 take for something else, such as `yes`, are quoted; nothing is folded,
 * and nothing refers to something else.
 */
export const printYaml = (value: unknown): string => {
  const document = new Document(value, {
    version: "1.2",
    schema: "core",
    compat: "yaml-1.1",
    aliasDuplicateObjects: false
  })
  visit(document, {
    Scalar: (_, scalar) => quote(scalar),
    Pair: (_, { key }) => {
      if (isScalar(key)) quote(key)
    }
  })
  return document.toString({ lineWidth: 0, blockQuote: "literal", doubleQuotedMinMultiLineLength: 1e9 })
}
