import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { copyResolver } from "../src/cobol/CopyBooks.js"
import { buildGraph } from "../src/cobol/Graph.js"
import { parseProgram } from "../src/cobol/Parser.js"
import { analyse } from "../src/cobol/ProgramSummary.js"
import { readSource } from "../src/cobol/SourceFile.js"
import { parsedEntry, unreadableEntry } from "../src/report/Inventory.js"
import { reports } from "../src/report/Reports.js"
import { fixed } from "./cobol-program.js"

const valid = fixed(
  [
    "IDENTIFICATION DIVISION.",
    "PROGRAM-ID. FUZZED.",
    "AUTHOR. O'NEIL.",
    "ENVIRONMENT DIVISION.",
    "INPUT-OUTPUT SECTION.",
    "FILE-CONTROL.",
    "    SELECT F ASSIGN TO 'F' FILE STATUS IS ST.",
    "DATA DIVISION.",
    "FILE SECTION.",
    "FD F.",
    "01 R PIC X(80).",
    "WORKING-STORAGE SECTION.",
    "COPY BOOK REPLACING ==:T:== BY ==WS==.",
    "01 REC.",
    "    05 N PIC S9(7)V99 COMP-3 OCCURS 5 INDEXED BY IX.",
    "    05 RED REDEFINES N PIC X(25).",
    "       88 IS-ON VALUE 'A' THRU 'C' 'X'.",
    "PROCEDURE DIVISION USING REC.",
    "S1 SECTION.",
    "P1.",
    "    IF A = 1 OR 2 AND NOT (B > C OR D) MOVE 1 TO N(IX) ELSE",
    "      EVALUATE TRUE WHEN IS-ON ALSO X PERFORM P2 THRU P3",
    "      WHEN OTHER GO TO P3 END-EVALUATE END-IF.",
    "    COMPUTE N(1) = (A + B) * 2 ** -1 ON SIZE ERROR CONTINUE.",
    "    STRING 'A' X DELIMITED BY SIZE INTO R END-STRING.",
    "    EXEC SQL SELECT A INTO :N FROM T WHERE B = 'x' END-EXEC.",
    "    EXEC CICS LINK PROGRAM('SUB') COMMAREA(REC) END-EXEC.",
    "    CALL PGM USING BY CONTENT A RETURNING B.",
    "P2.",
    "    READ F AT END SET IS-ON TO TRUE NOT AT END CONTINUE",
    "    END-READ.",
    "    PERFORM VARYING IX FROM 1 BY 1 UNTIL IX > 5",
    "      DISPLAY FUNCTION TRIM(R(1:3)) END-PERFORM.",
    "P3.",
    "    GOBACK."
  ].join("\n")
)

const resolveCopy = copyResolver([{ path: "BOOK.cpy", text: "       01 :T:-A PIC X.\n       COPY BOOK." }])

const parse = (source: string) => parseProgram({ path: "F.cbl", source, resolveCopy })

const wholeWay = (bytes: Uint8Array) => {
  const source = readSource("F.cbl", bytes)
  if (source._tag === "UnreadableSource") return reports([unreadableEntry(source)], [], buildGraph([]))
  const result = parse(source.text)
  const programs = result._tag === "Parsed" ? analyse(result) : []
  expect(JSON.parse(JSON.stringify(result))).toEqual(result)
  return reports([parsedEntry(source, result)], programs, buildGraph(programs))
}

const encode = (text: string) => new TextEncoder().encode(text)

const timed = (work: () => unknown): number => {
  const start = performance.now()
  work()
  return performance.now() - start
}

describe("the front end survives", () => {
  it("random bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), (bytes) => {
        expect(wholeWay(bytes).length).toBeGreaterThan(0)
      }),
      { numRuns: 300 }
    )
  })

  it("random text of COBOL words", () => {
    const words = [
      ...new Set(valid.split(/\s+/)),
      "(",
      ")",
      ".",
      "==",
      "'",
      '"',
      "\n       ",
      "EXEC",
      "COPY",
      "REPLACE"
    ]
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...words), { maxLength: 400 }), (parts) => {
        wholeWay(encode(`       ID DIVISION.\n       PROGRAM-ID. X.\n       ${parts.join(" ")}`))
      }),
      { numRuns: 300 }
    )
  })

  it("truncations of a valid program", () => {
    fc.assert(
      fc.property(fc.nat(valid.length), fc.nat(valid.length), (a, b) => {
        wholeWay(encode(valid.slice(Math.min(a, b), Math.max(a, b))))
      }),
      { numRuns: 300 }
    )
  })

  it("shuffled, lost and doubled lines", () => {
    const lines = valid.split("\n")
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...lines), { maxLength: 80 }), (chosen) => {
        wholeWay(encode(chosen.join("\n")))
      }),
      { numRuns: 300 }
    )
  })

  it("the untouched program without a diagnostic but the cycle", () => {
    const result = parse(valid)
    expect(result._tag).toBe("Parsed")
    expect(result.diagnostics.map(({ message }) => message)).toEqual([
      "The copybooks copy each other: BOOK.cpy → BOOK.cpy."
    ])
  })
})

describe("the front end is quick about", () => {
  const head = "       ID DIVISION.\n       PROGRAM-ID. X.\n       PROCEDURE DIVISION.\n       P1.\n"
  const line = (text: string) => `           ${text}\n`
  const free = "       >>SOURCE FORMAT FREE\n"
  const times = 20_000

  it.each([
    ["parentheses", line("COMPUTE A = ((((((((((((").repeat(times / 10)],
    ["subscripts", line("MOVE A(B(C(D(E(F(1)(1)(1)").repeat(times / 10)],
    ["nested IF", line("IF A = 1").repeat(times)],
    ["nested EVALUATE", line("EVALUATE A WHEN 1").repeat(times)],
    ["ELSE IF", line("IF A = 1 CONTINUE ELSE").repeat(times)],
    ["NOT", line("IF NOT NOT NOT NOT NOT").repeat(times / 10)],
    ["signs", line("COMPUTE A = - - - - - - -").repeat(times / 10)],
    ["open quotes", line("'").repeat(times)],
    ["open EXEC", line("EXEC SQL").repeat(times)],
    ["open EXEC with one end", `${line("EXEC SQL").repeat(times)}${line("END-EXEC")}`],
    ["open pseudo-text", line("COPY A REPLACING == BY").repeat(times)],
    ["REPLACE", line("REPLACE ==A== BY ==B==.").repeat(times / 10)],
    [
      "paragraphs",
      Array.from({ length: times }, (_, i) => `       P-${i}.\n${line(`PERFORM P-${i + 1}.`)}`).join("")
    ],
    [
      "GO TO",
      Array.from({ length: 2000 }, (_, i) => `       P-${i}.\n${line(`PERFORM P-1 THRU P-${i}.`)}`).join("")
    ],
    ["programs", "       ID DIVISION.\n       PROGRAM-ID. X.\n".repeat(times / 10)],
    ["digits", line("1".repeat(50)).repeat(times / 10)],
    ["SQL", line(`EXEC SQL ${"SELECT ( FROM ".repeat(3)} : : END-EXEC`).repeat(times / 10)],
    ["blanks", `${" ".repeat(200_000)}\n`.repeat(2)],
    ["words on one line", `${free}${"A ".repeat(200_000)}`],
    ["parts of one word", `${free}${"A-".repeat(200_000)}`],
    ["digits of one number", `${free}${"1".repeat(300_000)}`],
    ["digits of one word", `${free}${"1".repeat(300_000)}A`],
    ["colons", `${free}${":A".repeat(100_000)}`],
    ["quotes on one line", `${free}${"'".repeat(100_001)}`],
    ["characters of a picture", `${free}01 A PIC ${"9(".repeat(100_000)}.`],
    ["characters of a comment entry", `${free}AUTHOR. ${"X ".repeat(100_000)}`],
    ["levels", line("05 A PIC X.").repeat(times)]
  ])("many %s", (_, body) => {
    const isData = body.includes("PIC X")
    const source = isData ? body : head + body
    const result = { programs: 0 }
    const elapsed = timed(() => {
      const parsed = parse(source)
      result.programs = parsed._tag === "Parsed" ? analyse(parsed).length : 1
    })
    expect(result.programs).toBeGreaterThan(0)
    expect(elapsed).toBeLessThan(8000)
  })

  it("large ordinary programs, in linear time", () => {
    const procedure = valid.slice(valid.indexOf("P1.") - 7)
    const large = (copies: number) =>
      valid +
      Array.from({ length: copies }, (_, i) => `\n${procedure.replaceAll(/\bP(\d)\b/g, `P$1-${i}`)}`).join("")
    parse(large(50))
    const small = timed(() => parse(large(400)))
    const big = timed(() => parse(large(1600)))
    expect(big).toBeLessThan(Math.max(small, 50) * 16)
  })
})
