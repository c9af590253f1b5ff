import { describe, expect, it } from "vitest"
import { first, statements } from "./cobol-program.js"

const ref = (name: string) => expect.objectContaining({ _tag: "Reference", name })
const num = (text: string) => ({ _tag: "Number", text })
const text = (value: string) => ({ _tag: "Text", value, kind: "text" })

describe("moving values", () => {
  it("reads MOVE in its forms", () => {
    expect(first("Move", "    MOVE ZEROES TO A, B OF C IN D E(1, I + 1) F(2)(1:3).")).toMatchObject({
      source: { _tag: "Figurative", name: "ZERO" },
      corresponding: false,
      targets: [
        { name: "A", subscripts: [] },
        { name: "B", qualifiers: ["C", "D"] },
        {
          name: "E",
          subscripts: [num("1"), { _tag: "Binary", operator: "+", left: ref("I"), right: num("1") }]
        },
        { name: "F", subscripts: [num("2")], modification: { start: num("1"), length: num("3") } }
      ]
    })
    expect(first("Move", "    MOVE CORRESPONDING A TO B.")).toMatchObject({ corresponding: true })
    expect(first("Move", "    MOVE ALL '*' TO A.")).toMatchObject({ source: { _tag: "All", value: "*" } })
    expect(first("Move", "    MOVE 'AB' & 'CD' TO A.")).toMatchObject({ source: text("ABCD") })
    expect(first("Move", "    MOVE A(LENGTH OF B + 1:) TO C.")).toMatchObject({
      source: { modification: { start: { _tag: "Binary", left: { _tag: "LengthOf", of: ref("B") } } } }
    })
    expect(first("Move", "    MOVE A(I - 1:LENGTH OF B) TO C.")).toMatchObject({ source: { subscripts: [] } })
  })

  it("reads functions", () => {
    expect(first("Move", "    MOVE FUNCTION UPPER-CASE(FUNCTION TRIM(A LEADING))(1:2) TO B.")).toMatchObject({
      source: {
        _tag: "Function",
        name: "UPPER-CASE",
        arguments: [{ _tag: "Function", name: "TRIM", arguments: [ref("A"), ref("LEADING")] }],
        modification: { start: num("1"), length: num("2") }
      }
    })
    expect(first("Move", "    MOVE FUNCTION CURRENT-DATE(1:8) TO B.")).toMatchObject({
      source: { name: "CURRENT-DATE", arguments: [], modification: { length: num("8") } }
    })
    expect(first("Compute", "    COMPUTE A = FUNCTION MAX(B, -5 C).")).toMatchObject({
      expression: { arguments: [ref("B"), num("-5"), ref("C")] }
    })
  })

  it("reads INITIALIZE and SET", () => {
    expect(first("Initialize", "    INITIALIZE A B REPLACING NUMERIC DATA BY 1.")).toMatchObject({
      targets: [ref("A"), ref("B")],
      replacing: [{ category: "NUMERIC", by: num("1") }]
    })
    expect(first("Set", "    SET FLAG-ON OTHER-ON TO TRUE.")).toMatchObject({
      assignments: [{ _tag: "Condition", targets: [ref("FLAG-ON"), ref("OTHER-ON")], value: true }]
    })
    expect(first("Set", "    SET IX UP BY 2.")).toMatchObject({ assignments: [{ _tag: "Up", by: num("2") }] })
    expect(first("Set", "    SET IX DOWN BY N.")).toMatchObject({
      assignments: [{ _tag: "Down", by: ref("N") }]
    })
    expect(first("Set", "    SET ADDRESS OF REC TO PTR.")).toMatchObject({
      assignments: [{ _tag: "To", targets: [{ _tag: "AddressOf", of: ref("REC") }], value: ref("PTR") }]
    })
    expect(first("Set", "    SET IX TO 1 IY TO 2.").assignments).toHaveLength(2)
  })

  it("reads DISPLAY and ACCEPT", () => {
    expect(first("Display", "    DISPLAY 'A' B(1) 5 UPON CONSOLE WITH NO ADVANCING.")).toMatchObject({
      operands: [text("A"), ref("B"), num("5")],
      upon: "CONSOLE",
      noAdvancing: true
    })
    expect(first("Display", "    DISPLAY 'A' AT LINE 5 COL 3.")).toMatchObject({ screen: "AT LINE 5 COL 3" })
    expect(first("Accept", "    ACCEPT A FROM DATE YYYYMMDD.")).toMatchObject({ from: "DATE YYYYMMDD" })
    expect(first("Accept", "    ACCEPT A.")).not.toHaveProperty("from")
  })
})

describe("arithmetic", () => {
  it("reads ADD", () => {
    expect(first("Add", "    ADD 1 B TO C ROUNDED D.")).toMatchObject({
      operands: [num("1"), ref("B")],
      targets: [
        { reference: ref("C"), rounded: true },
        { reference: ref("D"), rounded: false }
      ],
      giving: false
    })
    expect(first("Add", "    ADD A TO 5 GIVING C.")).toMatchObject({
      operands: [ref("A"), num("5")],
      giving: true
    })
    expect(first("Add", "    ADD A B GIVING C.")).toMatchObject({
      operands: [ref("A"), ref("B")],
      giving: true
    })
    expect(first("Add", "    ADD CORR A TO B.")).toMatchObject({ corresponding: true })
    expect(first("Add", "    ADD -1 TO B.")).toMatchObject({ operands: [num("-1")] })
  })

  it("reads the other verbs with their direction", () => {
    expect(first("Subtract", "    SUBTRACT 1 2 FROM A.")).toMatchObject({
      operands: [num("1"), num("2")],
      giving: false
    })
    expect(first("Subtract", "    SUBTRACT A FROM B GIVING C.")).toMatchObject({
      from: ref("B"),
      giving: true
    })
    expect(first("Multiply", "    MULTIPLY A BY B ROUNDED.")).toMatchObject({
      operand: ref("A"),
      targets: [{ reference: ref("B"), rounded: true }]
    })
    expect(first("Multiply", "    MULTIPLY A BY 2 GIVING C.")).toMatchObject({
      operand: ref("A"),
      by: num("2")
    })
    expect(first("Divide", "    DIVIDE A INTO B.")).toMatchObject({
      divisor: ref("A"),
      targets: [{ reference: ref("B") }]
    })
    expect(first("Divide", "    DIVIDE A INTO B GIVING C.")).toMatchObject({
      divisor: ref("A"),
      dividend: ref("B")
    })
    expect(first("Divide", "    DIVIDE A BY B GIVING C ROUNDED REMAINDER D.")).toMatchObject({
      divisor: ref("B"),
      dividend: ref("A"),
      remainder: ref("D"),
      targets: [{ rounded: true }]
    })
  })

  it("reads SIZE ERROR phrases with and without END", () => {
    const nested = statements(
      "    ADD 1 TO A ON SIZE ERROR MOVE 0 TO A\n      NOT ON SIZE ERROR DISPLAY 'OK' END-ADD DISPLAY 'NEXT'."
    )
    expect(nested.map((one) => one._tag)).toEqual(["Add", "Move", "Display", "Display"])
    expect(first("Compute", "    COMPUTE A = 1 SIZE ERROR CONTINUE.").onSizeError).toHaveLength(1)
  })

  it("builds COMPUTE with precedence", () => {
    expect(first("Compute", "    COMPUTE A ROUNDED B = C + D * E ** 2 - (F - 1) / -G.")).toMatchObject({
      targets: [{ rounded: true }, { rounded: false }],
      expression: {
        operator: "-",
        left: {
          operator: "+",
          left: ref("C"),
          right: { operator: "*", left: ref("D"), right: { operator: "**", left: ref("E"), right: num("2") } }
        },
        right: { operator: "/", left: { operator: "-" }, right: { _tag: "Negate", operand: ref("G") } }
      }
    })
    expect(first("Compute", "    COMPUTE A = B -5 * 2.")).toMatchObject({
      expression: { operator: "-", left: ref("B"), right: { operator: "*", left: num("5"), right: num("2") } }
    })
  })
})

describe("control", () => {
  it("nests IF with END-IF and by periods", () => {
    const outer = first(
      "If",
      "    IF A = 1 IF B = 2 MOVE 1 TO C ELSE MOVE 2 TO C END-IF\n    MOVE 3 TO C ELSE NEXT SENTENCE."
    )
    expect(outer.then.map((one) => one._tag)).toEqual(["If", "Move"])
    expect(outer.otherwise.map((one) => one._tag)).toEqual(["NextSentence"])
    const old = first(
      "If",
      "    IF A = 1 IF B = 2 MOVE 1 TO C ELSE MOVE 2 TO C ELSE\n    MOVE 3 TO C.\n    DISPLAY A."
    )
    expect(old.then).toMatchObject([{ _tag: "If", otherwise: [{ _tag: "Move" }] }])
    expect(old.otherwise).toMatchObject([{ _tag: "Move", source: num("3") }])
  })

  it("reads EVALUATE TRUE with stacked conditions", () => {
    const evaluate = first(
      "Evaluate",
      "    EVALUATE TRUE\n    WHEN A > 1 AND B = 2\n    WHEN FLAG-ON\n      DISPLAY '1'\n    WHEN NOT C = 3\n      CONTINUE\n    WHEN OTHER\n      DISPLAY '2'\n    END-EVALUATE.",
      "01 A PIC 9.\n   88 FLAG-ON VALUE 1."
    )
    expect(evaluate.subjects).toEqual([{ _tag: "True" }])
    expect(evaluate.branches.map((branch) => branch.whens.length)).toEqual([2, 1])
    expect(evaluate.branches[0]?.whens[1]).toMatchObject([{ condition: { _tag: "ConditionName" } }])
    expect(evaluate.branches[1]?.whens[0]).toMatchObject([{ condition: { _tag: "Not" } }])
    expect(evaluate.otherwise).toHaveLength(1)
  })

  it("reads EVALUATE of values with ALSO, THRU, NOT and ANY", () => {
    const evaluate = first(
      "Evaluate",
      "    EVALUATE A ALSO TRUE ALSO B + 1\n    WHEN 1 THRU 5 ALSO C = 1 ALSO ANY\n      CONTINUE\n    WHEN NOT 'X' ALSO FALSE ALSO > 7\n      CONTINUE\n    END-EVALUATE."
    )
    expect(evaluate.subjects.map((subject) => subject._tag)).toEqual(["Value", "True", "Value"])
    expect(evaluate.branches[0]?.whens[0]).toMatchObject([
      { _tag: "Value", value: num("1"), through: num("5"), negated: false },
      { _tag: "Condition" },
      { _tag: "Any" }
    ])
    expect(evaluate.branches[1]?.whens[0]).toMatchObject([
      { _tag: "Value", value: text("X"), negated: true },
      { _tag: "False" },
      { _tag: "Condition", condition: { operator: ">", right: num("7") } }
    ])
  })

  it("reads PERFORM out of line", () => {
    expect(first("Perform", "    PERFORM P1.")).toMatchObject({
      procedure: { name: "P1" },
      loop: { _tag: "Once" }
    })
    expect(first("Perform", "    PERFORM P1 OF S1 THRU P2.")).toMatchObject({
      procedure: { name: "P1", section: "S1" },
      through: { name: "P2" }
    })
    expect(first("Perform", "    PERFORM P1 N TIMES.")).toMatchObject({
      loop: { _tag: "Times", count: ref("N") }
    })
    expect(first("Perform", "    PERFORM P1 3 TIMES.")).toMatchObject({ loop: { count: num("3") } })
    expect(first("Perform", "    PERFORM P1 WITH TEST AFTER UNTIL A = 1 OR B = 2.")).toMatchObject({
      loop: { _tag: "Until", testAfter: true, condition: { _tag: "Or" } }
    })
    expect(
      first(
        "Perform",
        "    PERFORM P1 VARYING I FROM 1 BY 1 UNTIL I > 9\n      AFTER J FROM K BY -1 UNTIL J = 0."
      )
    ).toMatchObject({
      loop: {
        _tag: "Varying",
        testAfter: false,
        variables: [
          { variable: ref("I"), from: num("1"), by: num("1"), until: { operator: ">" } },
          { variable: ref("J"), from: ref("K"), by: num("-1") }
        ]
      }
    })
  })

  it("reads PERFORM inline", () => {
    expect(first("PerformInline", "    PERFORM 5 TIMES DISPLAY A END-PERFORM.")).toMatchObject({
      loop: { _tag: "Times" },
      body: [{ _tag: "Display" }]
    })
    expect(first("PerformInline", "    PERFORM N(1) TIMES DISPLAY A END-PERFORM.")).toMatchObject({
      loop: { count: ref("N") }
    })
    expect(first("PerformInline", "    PERFORM UNTIL EXIT EXIT PERFORM END-PERFORM.")).toMatchObject({
      loop: { _tag: "Forever" },
      body: [{ _tag: "Exit", of: "PERFORM" }]
    })
    expect(first("PerformInline", "    PERFORM DISPLAY A END-PERFORM.")).toMatchObject({
      loop: { _tag: "Once" }
    })
    expect(
      first(
        "PerformInline",
        "    PERFORM TEST AFTER VARYING I FROM 1 BY 1 UNTIL I > 3\n    IF A = 1 CONTINUE END-IF END-PERFORM."
      )
    ).toMatchObject({ loop: { testAfter: true }, body: [{ _tag: "If" }] })
  })

  it("reads GO TO, ALTER, EXIT and the ends of a program", () => {
    expect(first("GoTo", "    GO TO P1.")).toMatchObject({ targets: [{ name: "P1" }] })
    expect(first("GoTo", "    GO P1 P2 P3 DEPENDING ON N.")).toMatchObject({
      targets: [{}, {}, {}],
      dependingOn: ref("N")
    })
    expect(first("GoTo", "    GO TO.").targets).toEqual([])
    expect(first("Alter", "    ALTER P1 TO PROCEED TO P2.")).toMatchObject({
      changes: [{ from: { name: "P1" }, to: { name: "P2" } }]
    })
    const kinds = ["", " PROGRAM", " PARAGRAPH", " SECTION", " PERFORM", " PERFORM CYCLE"]
    expect(kinds.map((kind) => first("Exit", `    EXIT${kind}.`).of)).toEqual([
      "NONE",
      "PROGRAM",
      "PARAGRAPH",
      "SECTION",
      "PERFORM",
      "PERFORM CYCLE"
    ])
    expect(first("Stop", "    STOP RUN.")).toMatchObject({ run: true })
    expect(first("Stop", "    STOP RUN RETURNING 4.")).toMatchObject({ run: true, value: num("4") })
    expect(first("Stop", "    STOP 'WAIT'.")).toMatchObject({ run: false, value: text("WAIT") })
    expect(first("Goback", "    GOBACK.")).toBeDefined()
  })

  it("reads SEARCH and SEARCH ALL", () => {
    expect(
      first(
        "Search",
        "    SEARCH T VARYING IX AT END DISPLAY 'NO'\n    WHEN K(IX) = 1 NEXT SENTENCE\n    WHEN K(IX) = 2 CONTINUE\n    END-SEARCH."
      )
    ).toMatchObject({
      all: false,
      varying: ref("IX"),
      atEnd: [{}],
      whens: [{ body: [{ _tag: "NextSentence" }] }, {}]
    })
    expect(first("Search", "    SEARCH ALL T WHEN K(IX) = 1 CONTINUE.")).toMatchObject({ all: true })
  })
})
