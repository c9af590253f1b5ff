import { describe, expect, it } from "vitest"
import { first, parse, program } from "./cobol-program.js"

const ref = (name: string) => expect.objectContaining({ _tag: "Reference", name })
const num = (text: string) => ({ _tag: "Number", text })
const text = (value: string) => ({ _tag: "Text", value, kind: "text" })

describe("programs", () => {
  it("reads CALL in its forms", () => {
    expect(
      first(
        "Call",
        "    CALL 'SUB1' USING A BY CONTENT B 'X' BY VALUE 5\n      BY REFERENCE OMITTED ADDRESS OF C RETURNING R."
      )
    ).toMatchObject({
      program: text("SUB1"),
      using: [
        { mode: "REFERENCE", value: ref("A") },
        { mode: "CONTENT", value: ref("B") },
        { mode: "CONTENT", value: text("X") },
        { mode: "VALUE", value: num("5") },
        { mode: "REFERENCE" },
        { mode: "REFERENCE", value: { _tag: "AddressOf" } }
      ],
      returning: ref("R")
    })
    const dynamic = first(
      "Call",
      "    CALL WS-PGM ON EXCEPTION DISPLAY 'NO'\n      NOT ON EXCEPTION CONTINUE END-CALL."
    )
    expect(dynamic).toMatchObject({ program: ref("WS-PGM"), onException: [{}], notOnException: [{}] })
    expect(first("Call", "    CALL 'A' ON OVERFLOW CONTINUE.").onException).toHaveLength(1)
    expect(first("Cancel", "    CANCEL 'A' B.").programs).toHaveLength(2)
    expect(first("Entry", "    ENTRY 'ALT' USING A.")).toMatchObject({ name: "ALT", using: [ref("A")] })
  })
})

describe("texts", () => {
  it("reads STRING", () => {
    expect(
      first(
        "String",
        "    STRING A B DELIMITED BY SPACE '-' DELIMITED SIZE\n      INTO C WITH POINTER P\n      ON OVERFLOW CONTINUE END-STRING."
      )
    ).toMatchObject({
      sources: [
        { values: [ref("A"), ref("B")], delimitedBy: { _tag: "Figurative", name: "SPACE" } },
        { values: [text("-")] }
      ],
      into: ref("C"),
      pointer: ref("P"),
      onOverflow: [{}]
    })
  })

  it("reads UNSTRING", () => {
    expect(
      first(
        "Unstring",
        "    UNSTRING A DELIMITED BY ALL SPACES OR ','\n      INTO B DELIMITER IN C\n      COUNT IN D E POINTER P TALLYING IN T."
      )
    ).toMatchObject({
      delimiters: [{ all: true }, { all: false, value: text(",") }],
      into: [{ reference: ref("B"), delimiterIn: ref("C"), countIn: ref("D") }, { reference: ref("E") }],
      pointer: ref("P"),
      tallying: ref("T")
    })
  })

  it("reads INSPECT", () => {
    expect(
      first(
        "Inspect",
        "    INSPECT A TALLYING N FOR ALL SPACES LOW-VALUES M FOR\n      CHARACTERS BEFORE INITIAL '.' AFTER 'X' \n      K FOR LEADING B."
      ).tallying
    ).toMatchObject([
      { counter: ref("N"), kind: "ALL" },
      { counter: ref("N"), kind: "ALL", value: { name: "LOW-VALUE" } },
      { counter: ref("M"), kind: "CHARACTERS", before: text("."), after: text("X") },
      { counter: ref("K"), kind: "LEADING", value: ref("B") }
    ])
    expect(
      first(
        "Inspect",
        "    INSPECT A REPLACING ALL 'A' BY 'B' 'C' BY 'D'\n      FIRST 'E' BY 'F'\n      CHARACTERS BY ZERO AFTER 'G'."
      ).replacing.map((one) => one.kind)
    ).toEqual(["ALL", "ALL", "FIRST", "CHARACTERS"])
    expect(first("Inspect", "    INSPECT A CONVERTING 'ab' TO 'AB' BEFORE SPACE.").converting).toMatchObject({
      from: text("ab"),
      to: text("AB"),
      before: { name: "SPACE" }
    })
  })
})

describe("files", () => {
  it("reads OPEN and CLOSE", () => {
    expect(first("Open", "    OPEN INPUT A B OUTPUT C WITH NO REWIND I-O D EXTEND E.").files).toEqual([
      { mode: "INPUT", file: "A" },
      { mode: "INPUT", file: "B" },
      { mode: "OUTPUT", file: "C" },
      { mode: "I-O", file: "D" },
      { mode: "EXTEND", file: "E" }
    ])
    expect(first("Close", "    CLOSE A WITH LOCK B.").files).toEqual(["A", "B"])
  })

  it("reads the input-output verbs with their branches", () => {
    expect(
      first(
        "Read",
        "    READ F NEXT RECORD INTO R AT END SET EOF TO TRUE\n      NOT AT END ADD 1 TO N END-READ."
      )
    ).toMatchObject({
      file: "F",
      direction: "NEXT",
      into: ref("R"),
      atEnd: [{}],
      notAtEnd: [{ _tag: "Add" }]
    })
    expect(
      first("Read", "    READ F KEY IS K INVALID KEY CONTINUE\n      NOT INVALID KEY CONTINUE.")
    ).toMatchObject({ key: ref("K"), invalidKey: [{}], notInvalidKey: [{}] })
    expect(
      first("Write", "    WRITE R FROM W AFTER ADVANCING 2 LINES\n      AT END-OF-PAGE CONTINUE END-WRITE.")
    ).toMatchObject({ from: ref("W"), advancing: "AFTER ADVANCING 2 LINES", atEndOfPage: [{}] })
    expect(first("Write", "    WRITE R AFTER PAGE.").advancing).toBe("AFTER PAGE")
    expect(first("Rewrite", "    REWRITE R FROM W INVALID KEY CONTINUE.")).toMatchObject({ invalidKey: [{}] })
    expect(first("Delete", "    DELETE F RECORD INVALID KEY CONTINUE END-DELETE.").file).toBe("F")
    expect(first("Start", "    START F KEY IS NOT LESS THAN K INVALID KEY CONTINUE.")).toMatchObject({
      operator: ">=",
      key: ref("K")
    })
    expect(first("Start", "    START F KEY >= K.").operator).toBe(">=")
    expect(first("Start", "    START F KEY IS GREATER THAN OR EQUAL TO K.").operator).toBe(">=")
  })

  it("reads SORT, MERGE, RELEASE and RETURN", () => {
    expect(
      first(
        "Sort",
        "    SORT S ON ASCENDING KEY A B DESCENDING KEY C\n      WITH DUPLICATES IN ORDER INPUT PROCEDURE IS P1 THRU P2\n      GIVING F."
      )
    ).toMatchObject({
      keys: [
        { ascending: true, names: [ref("A"), ref("B")] },
        { ascending: false, names: [ref("C")] }
      ],
      duplicates: true,
      input: { procedure: { name: "P1" }, through: { name: "P2" } },
      giving: ["F"]
    })
    expect(first("Merge", "    MERGE S ASCENDING A USING F G OUTPUT PROCEDURE P.")).toMatchObject({
      using: ["F", "G"],
      output: { procedure: { name: "P" } }
    })
    expect(first("Release", "    RELEASE R FROM W.")).toMatchObject({ from: ref("W") })
    expect(first("Return", "    RETURN S INTO W AT END CONTINUE END-RETURN.")).toMatchObject({
      into: ref("W")
    })
  })
})

describe("what cannot be read", () => {
  it("keeps unknown statements with their text and goes on", () => {
    const parsed = parse(
      program(
        "01 A PIC X.",
        "    GENERATE DETAIL-LINE\n    MOVE A.\n    FROBNICATE A B\n    DISPLAY A END-IF.\n    IF A = 1 GIBBERISH HERE DISPLAY A END-IF\n    JSON GENERATE J FROM A ON EXCEPTION DISPLAY 'E' END-JSON\n    GOBACK."
      )
    )
    const [section] = parsed.program.procedure?.sections ?? []
    const tags = section?.paragraphs[0]?.sentences.flatMap((one) =>
      one.statements.map((statement) => statement._tag)
    )
    expect(tags).toEqual(["Unknown", "Unknown", "Unknown", "Display", "If", "Unknown", "Goback"])
    expect(JSON.stringify(parsed.program)).toContain("FROBNICATE A B")
    expect(parsed.diagnostics.map((one) => one.line)).toEqual([8, 9, 10, 11, 12, 13])
  })
})
