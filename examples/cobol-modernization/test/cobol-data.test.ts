import { describe, expect, it } from "vitest"
import { parsePicture } from "../src/cobol/PictureParser.js"
import { fixed, parse, program, workingStorage } from "./cobol-program.js"

const rules = { decimalComma: false, currencySign: "$", constants: new Map<string, string>() }
const picture = (text: string) => {
  const { category, digits, scale, signed, length } = parsePicture(text, rules)
  return [category, digits, scale, signed, length]
}

describe("pictures", () => {
  it.each([
    ["9", ["numeric", 1, 0, false, 1]],
    ["S9(7)V99", ["numeric", 9, 2, true, 9]],
    ["S9(4)V9(2)", ["numeric", 6, 2, true, 6]],
    ["VPP99", ["numeric", 2, 4, false, 2]],
    ["99PPP", ["numeric", 2, -3, false, 2]],
    ["X(10)", ["alphanumeric", 0, 0, false, 10]],
    ["A(3)", ["alphabetic", 0, 0, false, 3]],
    ["XXBXX", ["alphanumeric-edited", 0, 0, false, 5]],
    ["N(4)", ["national", 0, 0, false, 4]],
    ["ZZ,ZZ9.99-", ["numeric-edited", 7, 2, true, 10]],
    ["$$,$$9.99CR", ["numeric-edited", 6, 2, true, 11]],
    ["-(5)9", ["numeric-edited", 5, 0, true, 6]],
    ["9(3)/99", ["numeric-edited", 5, 0, false, 6]],
    ["***9", ["numeric-edited", 4, 0, false, 4]]
  ])("reads %s", (text, expected) => {
    expect(picture(text)).toEqual(expected)
  })

  it("exchanges comma and point", () => {
    expect(parsePicture("Z.ZZ9,99", { ...rules, decimalComma: true })).toMatchObject({ digits: 6, scale: 2 })
  })

  it("accepts any text", () => {
    for (const text of ["", "((", "9(", "X(A)", "9()", "(3)", "9(-1)", "?"])
      expect(parsePicture(text, rules)).toBeDefined()
  })
})

describe("data descriptions", () => {
  it("computes the sizes of all usages", () => {
    const sizes = workingStorage(
      [
        "01 A PIC S9(4) COMP.",
        "01 B PIC S9(9) BINARY.",
        "01 C PIC 9(10) USAGE IS COMPUTATIONAL.",
        "01 D PIC S9(7)V99 COMP-3.",
        "01 E PIC 9(8) PACKED-DECIMAL.",
        "01 F COMP-1.",
        "01 G USAGE COMP-2.",
        "01 H USAGE INDEX.",
        "01 I USAGE IS POINTER.",
        "01 J PIC S9(3) SIGN IS LEADING SEPARATE CHARACTER.",
        "01 K PIC N(5).",
        "01 L PIC X(3) JUSTIFIED RIGHT.",
        "01 M PIC 9(5) BLANK WHEN ZERO.",
        "01 N PIC 9(5) COMP-5.",
        "01 O BINARY-LONG UNSIGNED."
      ].join("\n")
    )
    expect(sizes.map((item) => item.size)).toEqual([2, 4, 8, 5, 5, 4, 8, 4, 4, 4, 10, 3, 5, 4, 4])
    expect(sizes[3]).toMatchObject({ usage: "COMP-3", picture: { digits: 9, scale: 2, signed: true } })
    expect(sizes[9]?.sign).toEqual({ leading: true, separate: true })
    expect(sizes[11]?.justified).toBe(true)
    expect(sizes[12]?.blankWhenZero).toBe(true)
  })

  it("builds the group tree with offsets, tables and redefinitions", () => {
    const [record] = workingStorage(
      [
        "01 REC.",
        "    05 ID-NO PIC 9(5).",
        "    05 AMOUNTS COMP-3.",
        "       10 AMOUNT PIC S9(5)V99 OCCURS 3 TIMES INDEXED BY IX, IY.",
        "    05 RAW REDEFINES AMOUNTS PIC X(12).",
        "    05 FILLER PIC X(2) VALUE SPACES.",
        "    05 ROWS OCCURS 1 TO 10 TIMES DEPENDING ON ID-NO",
        "         ASCENDING KEY IS ROW-KEY INDEXED BY RX.",
        "       10 ROW-KEY PIC X(4).",
        "       10 PIC 9(2)."
      ].join("\n")
    )
    const children = record?.children ?? []
    expect(children.map((item) => [item.name, item.offset, item.size, item.totalSize])).toEqual([
      ["ID-NO", 0, 5, 5],
      ["AMOUNTS", 5, 12, 12],
      ["RAW", 5, 12, 12],
      ["FILLER", 17, 2, 2],
      ["ROWS", 19, 6, 60]
    ])
    expect(record?.size).toBe(79)
    expect(children[1]?.children[0]).toMatchObject({ usage: "COMP-3", size: 4, totalSize: 12 })
    expect(children[1]?.children[0]?.occurs).toMatchObject({ max: 3, indexedBy: ["IX", "IY"] })
    expect(children[4]?.occurs).toMatchObject({
      min: 1,
      max: 10,
      dependingOn: { name: "ID-NO" },
      indexedBy: ["RX"],
      keys: [{ ascending: true, names: ["ROW-KEY"] }]
    })
    expect(children[4]?.children[1]?.name).toBe("FILLER")
  })

  it("reads levels 66, 77, 78 and 88", () => {
    const items = workingStorage(
      [
        "01 REC.",
        "    05 CODE-1 PIC 9.",
        "       88 IS-LOW VALUES ARE 1 THRU 3, 5.",
        "       88 IS-OTHER VALUE 9 WHEN SET TO FALSE IS 0.",
        "    05 CODE-2 PIC X.",
        "       88 IS-BLANK VALUE SPACE.",
        "    66 BOTH RENAMES CODE-1 THRU CODE-2.",
        "77 COUNTER PIC S9(3) COMP VALUE -5.",
        "78 LIMIT VALUE 7.",
        "01 TABLE-1.",
        "    05 T PIC X(LIMIT) OCCURS LIMIT TIMES VALUE ALL 'AB'."
      ].join("\n")
    )
    expect(items[0]?.renames).toMatchObject([{ name: "BOTH", from: "CODE-1", through: "CODE-2" }])
    expect(items[0]?.children[0]?.conditions).toMatchObject([
      {
        name: "IS-LOW",
        values: [
          { from: { _tag: "Number", text: "1" }, through: { _tag: "Number", text: "3" } },
          { from: { _tag: "Number", text: "5" } }
        ]
      },
      { name: "IS-OTHER", whenFalse: { text: "0" } }
    ])
    expect(items[1]).toMatchObject({ level: 77, value: { _tag: "Number", text: "-5" } })
    expect(items[3]?.children[0]).toMatchObject({
      size: 7,
      totalSize: 49,
      value: { _tag: "All", value: "AB" }
    })
  })

  it("reads the file section and file control", () => {
    const parsed = parse(
      fixed(
        [
          "IDENTIFICATION DIVISION.",
          "PROGRAM-ID. FILES.",
          "ENVIRONMENT DIVISION.",
          "CONFIGURATION SECTION.",
          "SPECIAL-NAMES.",
          "    C01 IS TOP-OF-FORM",
          "    CLASS HEXDIGIT IS '0' THRU '9' 'A' THRU 'F'",
          "    DECIMAL-POINT IS COMMA.",
          "INPUT-OUTPUT SECTION.",
          "FILE-CONTROL.",
          "    SELECT OPTIONAL CUST-FILE ASSIGN TO 'CUSTDD'",
          "        ORGANIZATION IS INDEXED ACCESS MODE IS DYNAMIC",
          "        RECORD KEY IS CUST-KEY",
          "        ALTERNATE RECORD KEY IS CUST-NAME WITH DUPLICATES",
          "        FILE STATUS IS WS-STATUS.",
          "    SELECT PRINT-FILE ASSIGN PRINTER LINE SEQUENTIAL.",
          "    SELECT SORT-FILE ASSIGN TO SORTWK1.",
          "DATA DIVISION.",
          "FILE SECTION.",
          "FD  CUST-FILE RECORD CONTAINS 30 CHARACTERS",
          "    LABEL RECORDS ARE STANDARD.",
          "01  CUST-REC.",
          "    05 CUST-KEY PIC 9(5).",
          "    05 CUST-NAME PIC X(25).",
          "01  CUST-ALT PIC X(30).",
          "SD  SORT-FILE.",
          "01  SORT-REC PIC X(10).",
          "WORKING-STORAGE SECTION.",
          "01  WS-STATUS PIC XX.",
          "01  WS-RATE PIC 9V99 VALUE 1,25.",
          "LOCAL-STORAGE SECTION.",
          "01  LS-A PIC X.",
          "LINKAGE SECTION.",
          "01  LK-A PIC X(4).",
          "PROCEDURE DIVISION USING BY REFERENCE LK-A BY VALUE LK-B",
          "    RETURNING LK-C.",
          "    GOBACK."
        ].join("\n")
      )
    )
    const { program: read, diagnostics } = parsed
    expect(diagnostics).toEqual([])
    expect(read.configuration).toMatchObject({
      decimalPointIsComma: true,
      classes: [{ name: "HEXDIGIT" }],
      specialNames: [{ system: "C01", mnemonic: "TOP-OF-FORM" }]
    })
    expect(read.fileControl).toMatchObject([
      {
        name: "CUST-FILE",
        optional: true,
        assign: "CUSTDD",
        organization: "INDEXED",
        access: "DYNAMIC",
        recordKey: { name: "CUST-KEY" },
        alternateKeys: [{ key: { name: "CUST-NAME" }, duplicates: true }],
        status: { name: "WS-STATUS" }
      },
      { name: "PRINT-FILE", organization: "LINE SEQUENTIAL" },
      { name: "SORT-FILE", assign: "SORTWK1", organization: "SEQUENTIAL" }
    ])
    expect(
      read.data.files.map((file) => [file.kind, file.name, file.records.map((item) => item.size)])
    ).toEqual([
      ["FD", "CUST-FILE", [30, 30]],
      ["SD", "SORT-FILE", [10]]
    ])
    expect(read.data.workingStorage[1]?.value).toEqual({ _tag: "Number", text: "1.25" })
    expect(read.data.localStorage).toHaveLength(1)
    expect(read.procedure).toMatchObject({
      using: [
        { name: "LK-A", byValue: false },
        { name: "LK-B", byValue: true }
      ],
      returning: "LK-C"
    })
  })

  it("goes on after broken entries", () => {
    const parsed = parse(program("01 A PIC X\n01 B NONSENSE PIC X.\nJUNK HERE.\n01 C PIC X.", "    GOBACK."))
    expect(parsed.program.data.workingStorage.map((item) => item.name)).toEqual(["A", "B", "C"])
    expect(parsed.diagnostics.map((one) => one.line)).toEqual([6, 6, 7])
  })
})
