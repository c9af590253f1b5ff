import { describe, expect, it } from "vitest"
import { layout } from "../src/cobol/LogicalText.js"
import { readSource } from "../src/cobol/SourceFile.js"
import { detectFormat, expandTabs } from "../src/cobol/SourceFormat.js"
import { type Token, tokenize } from "../src/cobol/Tokens.js"
import { fixed } from "./cobol-program.js"

const bytes = (text: string) => new TextEncoder().encode(text)

const ebcdic = (text: string): Uint8Array => {
  const letters: Record<string, number> = { " ": 0x40, ".": 0x4b, "-": 0x60, "\n": 0x15, "'": 0x7d }
  return Uint8Array.from([...text], (char) => {
    const code = char.charCodeAt(0)
    if (char >= "A" && char <= "I") return 0xc1 + code - 65
    if (char >= "J" && char <= "R") return 0xd1 + code - 74
    if (char >= "S" && char <= "Z") return 0xe2 + code - 83
    if (char >= "0" && char <= "9") return 0xf0 + code - 48
    return letters[char] ?? 0x6f
  })
}

const tokens = (text: string, decimalComma = false): readonly Token[] =>
  tokenize(layout(text, detectFormat(text)), "T.cbl", decimalComma).tokens

const texts = (text: string) => tokens(text).map((token) => token.text)

describe("reading bytes", () => {
  it("reads UTF-8 with and without BOM", () => {
    expect(readSource("A", bytes("A\r\nB\n"))).toMatchObject({ text: "A\nB\n", encoding: "utf-8", lines: 2 })
    expect(readSource("A", Uint8Array.of(0xef, 0xbb, 0xbf, 0x41))).toMatchObject({
      text: "A",
      encoding: "utf-8-bom"
    })
  })

  it("reads Latin-1 and Windows-1252", () => {
    expect(readSource("A", Uint8Array.of(...bytes("* caf"), 0xe9))).toMatchObject({
      text: "* café",
      encoding: "latin-1"
    })
    expect(readSource("A", Uint8Array.of(...bytes("* 10 "), 0x80))).toMatchObject({
      text: "* 10 €",
      encoding: "windows-1252"
    })
  })

  it("reads UTF-16 with a byte order mark", () => {
    expect(readSource("A", Uint8Array.of(0xff, 0xfe, 0x41, 0, 0x0a, 0))).toMatchObject({
      encoding: "utf-16le"
    })
    expect(readSource("A", Uint8Array.of(0xfe, 0xff, 0, 0x41))).toMatchObject({
      text: "A",
      encoding: "utf-16be"
    })
  })

  it("decodes EBCDIC with newlines and with fixed records", () => {
    const text = "       IDENTIFICATION DIVISION.\n       PROGRAM-ID. HELLO."
    expect(readSource("A", ebcdic(text))).toMatchObject({ text, encoding: "ebcdic-cp037" })
    const records = ["       IDENTIFICATION DIVISION.", "       PROGRAM-ID. HELLO."].map((line) =>
      line.padEnd(80)
    )
    const read = readSource("A", ebcdic(records.join("")))
    expect(read).toMatchObject({ encoding: "ebcdic-cp037", lines: 2 })
    expect(read._tag === "Source" && read.text.split("\n")[1]?.trim()).toBe("PROGRAM-ID. HELLO.")
    expect(readSource("A", ebcdic("       MOVE ALL TO NOTHING."))).toMatchObject({
      reason: "unknown-records"
    })
  })

  it("splits ASCII records of 80 bytes", () => {
    const read = readSource("A", bytes("000100 ID DIVISION.".padEnd(80) + "000200 PROGRAM-ID. A.".padEnd(80)))
    expect(read).toMatchObject({ lines: 2 })
  })

  it("refuses empty, binary and unknown files with a reason and a hint", () => {
    expect(readSource("A", new Uint8Array())).toMatchObject({ _tag: "UnreadableSource", reason: "empty" })
    expect(readSource("A", bytes("  \n\t\n"))).toMatchObject({ reason: "empty" })
    expect(readSource("A", Uint8Array.of(0x41, 0, 0x42, 0x43))).toMatchObject({ reason: "binary" })
    expect(readSource("A", new Uint8Array(50))).toMatchObject({ reason: "binary" })
    expect(readSource("A", Uint8Array.of(1, 2, 3, 4, 5, 6, 7))).toMatchObject({ reason: "binary" })
    expect(readSource("A", Uint8Array.of(0x41, 0x42, 0x81, 0x8d))).toMatchObject({
      path: "A",
      reason: "unknown-encoding"
    })
  })

  it("forgives the padding of old editors", () => {
    expect(readSource("A", Uint8Array.of(0x41, 0x0a, 0x1a, 0, 0))).toMatchObject({ text: "A\n" })
  })
})

describe("the source format", () => {
  it("detects fixed and free format", () => {
    expect(detectFormat(fixed("IDENTIFICATION DIVISION.\nPROGRAM-ID. A."))).toBe("fixed")
    expect(detectFormat("000100 IDENTIFICATION DIVISION.\n000200*COMMENT\n")).toBe("fixed")
    expect(detectFormat("identification division.\nprogram-id. a.\n")).toBe("free")
    expect(detectFormat("*> note\n01 A PIC X.\n   05 B PIC 9.\n")).toBe("free")
    expect(detectFormat("      >>SOURCE FORMAT IS FREE\n       ID DIVISION.")).toBe("free")
    expect(detectFormat('      $SET SOURCEFORMAT"FREE"\n')).toBe("free")
    expect(detectFormat("      $SET SOURCEFORMAT(VARIABLE)\n")).toBe("variable")
  })

  it("expands tabs", () => {
    expect(expandTabs("\tMOVE")).toBe("        MOVE")
    expect(expandTabs("ab\tc\td")).toBe("ab      c       d")
  })

  it("ignores the sequence and identification areas and counts lines", () => {
    const text = [
      "000100 MOVE A TO B.                                                     PROG0001",
      "000200*COMMENT",
      "",
      "000300/PAGE",
      "000400D    DISPLAY 'DEBUG'.",
      "000500     MOVE C TO D. *> note"
    ].join("\n")
    const logical = layout(text, "fixed")
    expect(logical.text.split("\n").map((line) => line.trim())).toEqual(["MOVE A TO B.", "MOVE C TO D.", ""])
    expect(logical.numbers).toEqual([1, 6])
    expect(logical.counts).toEqual({ code: 2, comment: 3, blank: 1 })
  })

  it("compiles debugging lines only in debugging mode", () => {
    const text = "       SOURCE-COMPUTER. X WITH DEBUGGING MODE.\n      D    DISPLAY A."
    expect(layout(text, "fixed").text).toContain("DISPLAY A")
  })

  it("continues literals and words", () => {
    const long = `           MOVE "${"A".repeat(50)}`.padEnd(72)
    const text = `${long}\n      -    "BCD" TO X-NA\n      -    ME.`
    const read = tokens(text)
    expect(read[1]?.text).toBe(`${"A".repeat(50)}${" ".repeat(72 - long.trimEnd().length)}BCD`)
    expect(read.map((token) => token.text).slice(2)).toEqual(["TO", "X-NAME", "."])
    expect(read.map((token) => token.line)).toEqual([1, 1, 2, 2, 3])
  })

  it("continues literals over several lines, padded to column 72", () => {
    const text = `${'       01 A PIC X(200) VALUE "ONE'.padEnd(72)}\n${'      -    "TWO'.padEnd(72)}\n      -    "THREE".`
    const literal = tokens(text).find((token) => token.kind === "text")?.text ?? ""
    expect(literal.replace(/ +/g, " ")).toBe("ONE TWO THREE")
    expect(literal.indexOf("TWO")).toBe(72 - 30)
    expect(literal.indexOf("THREE") - literal.indexOf("TWO")).toBe(72 - 12)
  })
})

describe("tokens", () => {
  it("keeps the sentence period out of pictures and numbers", () => {
    const read = tokens(
      "       01 A PIC S9(7)V99.\n       01 B PICTURE IS Z,ZZ9.99-.\n           MOVE 1.5 TO C."
    )
    expect(read.filter((token) => token.kind === "picture").map((token) => token.text)).toEqual([
      "S9(7)V99",
      "Z,ZZ9.99-"
    ])
    expect(read.filter((token) => token.kind === "period")).toHaveLength(3)
    expect(read.filter((token) => token.kind === "number").map((token) => token.text)).toContain("1.5")
  })

  it("reads literals of all kinds", () => {
    const read = tokens(`           MOVE 'it''s' TO A MOVE "say ""x""" TO B MOVE X'0a' TO C MOVE N"n" TO D.`)
    const literals = read.filter((token) => token.kind === "text")
    expect(literals.map((token) => token.text)).toEqual(["it's", 'say "x"', "0A", "n"])
    expect(literals.map((token) => token.literal)).toEqual(["text", "text", "hex", "national"])
  })

  it("tells signs, words with hyphens and numeric paragraph names apart", () => {
    expect(texts("           COMPUTE A-B = -5 + C-1 - .5 ** 2.")).toEqual([
      "COMPUTE",
      "A-B",
      "=",
      "-5",
      "+",
      "C-1",
      "-",
      ".5",
      "**",
      "2",
      "."
    ])
    expect(tokens("       0100-MAIN.\n       200.").map((token) => token.kind)).toEqual([
      "word",
      "period",
      "number",
      "period"
    ])
  })

  it("honours DECIMAL-POINT IS COMMA", () => {
    expect(tokens("           MOVE 1,5 TO A.", true)[1]?.text).toBe("1.5")
    expect(texts("           MOVE 1,5 TO A.").slice(1, 3)).toEqual(["1", "5"])
  })

  it("keeps EXEC blocks and comment entries whole", () => {
    const read = tokens(
      fixed(
        "IDENTIFICATION DIVISION.\nAUTHOR. J. O'BRIEN.\nDATE-WRITTEN. 01/02/1999.\nPROCEDURE DIVISION.\n    EXEC SQL SELECT 'a' END-EXEC."
      )
    )
    expect(read.filter((token) => token.kind === "entry").map((token) => token.text)).toEqual([
      "J. O'BRIEN",
      "01/02/1999"
    ])
    expect(read.find((token) => token.kind === "exec")?.text).toBe("SQL SELECT 'a'")
  })

  it("reports unclosed literals and blocks and goes on", () => {
    const text = fixed("    DISPLAY 'open\n    DISPLAY B.\n    EXEC SQL SELECT\n    GOBACK.")
    const { tokens: read, diagnostics } = tokenize(layout(text, "fixed"), "T.cbl", false)
    expect(diagnostics.map((one) => one.line)).toEqual([1, 3])
    expect(read.map((token) => token.text)).toContain("GOBACK")
  })
})
