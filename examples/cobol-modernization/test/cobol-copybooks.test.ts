import { describe, expect, it } from "vitest"
import { copyResolver } from "../src/cobol/CopyBooks.js"
import { allItems } from "../src/cobol/Metrics.js"
import { parseProgram } from "../src/cobol/Parser.js"
import { fixed, parse, program } from "./cobol-program.js"

const names = (parsed: ReturnType<typeof parse>) => allItems(parsed.program).map((item) => item.name)

describe("COPY", () => {
  it("writes out nested copybooks and keeps their places", () => {
    const parsed = parse(program("01 REC.\n    COPY OUTER.\n01 LAST-ONE PIC X.", "    GOBACK."), {
      "lib/outer.cpy": fixed("    05 A PIC X.\n    COPY INNER."),
      "lib/INNER.CPY": fixed("    05 B PIC X.")
    })
    expect(names(parsed)).toEqual(["REC", "A", "B", "LAST-ONE"])
    expect(parsed.program.data.workingStorage[0]?.children[1]?.at).toEqual({ file: "lib/INNER.CPY", line: 1 })
    expect(parsed.program.copies.map((copy) => [copy.name, copy.path])).toEqual([
      ["OUTER", "lib/outer.cpy"],
      ["INNER", "lib/INNER.CPY"]
    ])
    expect(parsed.diagnostics).toEqual([])
  })

  it("replaces pseudo-text, words, literals, tags and affixes", () => {
    const book = fixed(
      "    05 :TAG:-NAME PIC X(:LEN:).\n    05 OLD-WORD PIC X.\n    05 PRE-A PIC X VALUE 'A'.\n    05 (TAG)-PAREN PIC 9.\n    05 X-END PIC 9."
    )
    const parsed = parse(
      program(
        "01 REC.\n    COPY BOOK REPLACING ==:TAG:== BY ==CUST== ==:LEN:== BY ==12==\n      OLD-WORD BY NEW-WORD 'A' BY 'B'\n      LEADING ==PRE== BY ==WS== ==(TAG)== BY ==IN==\n      TRAILING ==-END== BY ==-STOP==.",
        "    GOBACK."
      ),
      { "BOOK.cpy": book }
    )
    expect(parsed.diagnostics).toEqual([])
    expect(names(parsed)).toEqual(["REC", "CUST-NAME", "NEW-WORD", "WS-A", "IN-PAREN", "X-STOP"])
    const items = allItems(parsed.program)
    expect(items[1]?.picture?.length).toBe(12)
    expect(items[3]?.value).toEqual({ _tag: "Text", value: "B", kind: "text" })
  })

  it("replaces several tokens by several and by nothing", () => {
    const parsed = parse(
      program(
        "01 REC.\n    COPY BOOK REPLACING ==PIC X== BY\n    ==PIC 9(3) COMP-3== ==SYNC== BY ====.",
        "    GOBACK."
      ),
      { "BOOK.cpy": fixed("    05 A PIC X SYNC.") }
    )
    expect(allItems(parsed.program)[1]).toMatchObject({ usage: "COMP-3", size: 2, synchronized: false })
  })

  it("copies statements and honours the library", () => {
    const parsed = parse(program("01 A PIC X.", "    COPY CODE1 IN LIB2."), {
      "lib1/CODE1.cpy": fixed("    DISPLAY '1'."),
      "lib2/CODE1.cpy": fixed("    DISPLAY '2'.")
    })
    expect(JSON.stringify(parsed.program.procedure)).toContain('"value":"2"')
  })

  it("records missing copybooks and names cycles", () => {
    const missing = parse(program("COPY NOWHERE.\n01 A PIC X.", "    GOBACK."))
    expect(missing.diagnostics.map((one) => [one.severity, one.line, one.message])).toEqual([
      ["error", 5, "The copybook NOWHERE was not found."]
    ])
    const cyclic = parse(program("COPY A.", "    GOBACK."), {
      "A.cpy": "       COPY B.",
      "B.cpy": "       COPY A."
    })
    expect(cyclic.diagnostics[0]?.message).toBe("The copybooks copy each other: A.cpy → B.cpy → A.cpy.")
  })

  it("includes SQL members and knows SQLCA", () => {
    const parsed = parse(
      program("EXEC SQL INCLUDE SQLCA END-EXEC.\nEXEC SQL INCLUDE DCLCUST END-EXEC.", "    GOBACK."),
      { "DCLCUST.dcl": fixed("01 DCLCUST.\n    10 ID-NO PIC S9(9) COMP.") }
    )
    expect(parsed.diagnostics).toEqual([])
    expect(names(parsed)).toEqual(["DCLCUST", "ID-NO"])
  })

  it("survives copybooks that multiply without end", () => {
    const line = "       COPY NEXT1.\n".repeat(30)
    const books = Object.fromEntries(
      Array.from({ length: 12 }, (_, level) => [
        `L${level}.cpy`,
        line.replaceAll("NEXT1", `L${level + 1}`) + "       05 A PIC X.\n".repeat(50)
      ])
    )
    expect(parse(program("COPY L0.", "    GOBACK."), books).diagnostics.length).toBeGreaterThan(0)
  })

  it("prefers copybook extensions and ignores case", () => {
    const resolve = copyResolver([
      { path: "src/cust.cbl", text: "1" },
      { path: "src/Cust.CPY", text: "2" }
    ])
    expect(resolve("CUST", undefined)?.text).toBe("2")
    expect(resolve("cust.cbl", undefined)?.text).toBe("1")
    expect(resolve("OTHER", undefined)).toBeUndefined()
  })
})

describe("REPLACE", () => {
  it("applies until REPLACE OFF", () => {
    const parsed = parse(
      program("REPLACE ==OLD== BY ==FRESH==.\n01 OLD PIC X.\nREPLACE OFF.\n01 OLD PIC X.", "    GOBACK.")
    )
    expect(names(parsed)).toEqual(["FRESH", "OLD"])
    expect(parsed.diagnostics).toEqual([])
  })
})

describe("files without a program", () => {
  const kindOf = (path: string, source: string) =>
    parseProgram({ path, source, resolveCopy: () => undefined })

  it("recognises copybooks of data, files and statements", () => {
    expect(kindOf("A.cpy", fixed("01 A.\n    05 B PIC X."))).toMatchObject({ _tag: "CopyBook" })
    expect(kindOf("A.txt", fixed("    05 B PIC X."))).toMatchObject({ _tag: "CopyBook" })
    expect(kindOf("A.cpy", fixed("    SELECT F ASSIGN TO X."))).toMatchObject({
      _tag: "CopyBook",
      diagnostics: []
    })
    expect(kindOf("A.cpy", fixed("P1.\n    MOVE A TO B.\n    GOBACK."))).toMatchObject({ _tag: "CopyBook" })
  })

  it("says why a file is no program", () => {
    expect(kindOf("README.md", "# Title\n\nSome words about nothing.")).toMatchObject({
      _tag: "NotCobol",
      reason: expect.stringMatching(/^The file is not a COBOL program: it has no PROGRAM-ID/)
    })
    expect(kindOf("A.cbl", "      * only a comment")).toMatchObject({
      _tag: "NotCobol",
      reason: expect.stringMatching(/no code/)
    })
    expect(kindOf("A.jcl", "//JOB1 JOB (1),'X'\n//S1 EXEC PGM=IEFBR14")).toMatchObject({ _tag: "NotCobol" })
  })
})
