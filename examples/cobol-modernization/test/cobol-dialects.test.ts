import { describe, expect, it } from "vitest"
import { callsOf } from "../src/cobol/ProgramCalls.js"
import { analyse } from "../src/cobol/ProgramSummary.js"
import { fixed, parse, program } from "./cobol-program.js"

const serious = (text: string) => parse(text).diagnostics.filter((one) => one.severity !== "note")

describe("dialects seen in the field", () => {
  it("reads free format with nested programs and modern usages", () => {
    const text = `*> --- Register ---
IDENTIFICATION DIVISION.
PROGRAM-ID. Register-Help.
DATA DIVISION.
WORKING-STORAGE SECTION.
    01 PTR                          PROGRAM-POINTER.
    01 NODE-ROOT                    BINARY-LONG UNSIGNED.
PROCEDURE DIVISION.
    SET PTR TO ENTRY "Callback-Execute"
    CALL "Set-Command" USING NODE-ROOT *> trailing comment that is much longer than any column of a card
    GOBACK.

    IDENTIFICATION DIVISION.
    PROGRAM-ID. Callback-Execute.
    DATA DIVISION.
    LINKAGE SECTION.
        01 LK-COUNT BINARY-LONG.
    PROCEDURE DIVISION USING LK-COUNT.
        IF LK-COUNT NOT = 1
            GOBACK
        END-IF
        PERFORM VARYING RETURN-CODE FROM 1 BY 1 UNTIL RETURN-CODE > LK-COUNT
            CONTINUE
        END-PERFORM
        GOBACK.
    END PROGRAM Callback-Execute.
END PROGRAM Register-Help.
`
    const parsed = parse(text)
    expect(parsed.diagnostics).toEqual([])
    expect(parsed.reading.format).toBe("free")
    expect(analyse(parsed).map(({ name, within }) => [name, within])).toEqual([
      ["REGISTER-HELP", undefined],
      ["CALLBACK-EXECUTE", "REGISTER-HELP"]
    ])
    expect(callsOf(parsed.program)).toMatchObject([{ targets: ["SET-COMMAND"] }])
  })

  it("reads periods on lines of their own and sequence numbers", () => {
    const text = [
      "000100 CBL CICS('SP,EDF')",
      "000200 IDENTIFICATION DIVISION.",
      "000300 PROGRAM-ID.",
      "000400     CARD01.",
      "000500 PROCEDURE DIVISION.",
      "000600 0000-MAIN.",
      "000700     IF EIBRESP = DFHRESP(NORMAL) AND NOT EIBAID = DFHENTER",
      "000800        MOVE AREA-1 TO WS-AREA(LENGTH OF AREA-0 + 1:",
      "000900                     LENGTH OF AREA-1 )",
      "001000     END-IF",
      "001100     .",
      "001200 0000-EXIT.",
      "001300     EXIT",
      "001400     ."
    ].join("\n")
    const parsed = parse(text)
    expect(parsed.diagnostics).toEqual([])
    expect(parsed.program.name).toBe("CARD01")
    expect(
      parsed.program.procedure?.sections[0]?.paragraphs.map(({ name, endLine }) => [name, endLine])
    ).toEqual([
      ["0000-MAIN", 11],
      ["0000-EXIT", 14]
    ])
  })

  it("skips screens and reads statements on them", () => {
    const text = fixed(
      "ID DIVISION.\nPROGRAM-ID. SCR.\nDATA DIVISION.\nSCREEN SECTION.\n01 CLS BLANK SCREEN.\n01 TELA.\n   05 LINE 3 COL 25 VALUE 'ID : '.\n   05 COL 40 PIC 9(4) TO WS-ID AUTO REQUIRED.\nPROCEDURE DIVISION.\nMAIN-1.\n    DISPLAY CLS\n    DISPLAY 'X' LINE L COL 1\n    ACCEPT R AT 1550\n    STOP RUN."
    )
    expect(serious(text)).toEqual([])
    const book = program(
      "01 TELA.\n   05 LINE 3 COL 25 VALUE 'ID : '.\n   05 BLANK SCREEN.\n   05 LINE PIC X.",
      "    GOBACK."
    )
    expect(serious(book)).toEqual([])
    expect(parse(book).program.data.workingStorage[0]?.children.map(({ name }) => name)).toEqual([
      "FILLER",
      "FILLER",
      "LINE"
    ])
  })

  it("lets a program use unreserved verbs, and words of compiler cards, as names", () => {
    const text = program(
      "01 JSON PIC X(10).\n01 FREE PIC 9.\n01 PROCESS PIC 9.\n01 TITLE PIC 9.",
      "    MOVE 'x' TO JSON FREE.\n    IF FREE = 1 DISPLAY\n    PROCESS\n    TITLE JSON."
    )
    expect(serious(text)).toEqual([])
    expect(JSON.stringify(parse(text).program.procedure)).toContain('"name":"TITLE"')
  })

  it("goes on after a missing period, a stray terminator and a class test of SPECIAL-NAMES", () => {
    const text = program(
      "01 A PIC X.",
      "    IF A IS MY-CLASS OR A = 'x' DISPLAY A\n    ELSE IF A = 'y' DISPLAY B END-IF.\n    END-IF\n    GOBACK."
    )
    expect(serious(text).map(({ message }) => message)).toEqual(["END-IF ends nothing that is open."])
  })
})
