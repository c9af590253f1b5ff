import { describe, expect, it } from "vitest"
import { controlFlow } from "../src/cobol/ControlFlow.js"
import { buildGraph } from "../src/cobol/Graph.js"
import { metricsOf } from "../src/cobol/Metrics.js"
import { callsOf } from "../src/cobol/ProgramCalls.js"
import { analyse, type ProgramSummary } from "../src/cobol/ProgramSummary.js"
import { stronglyConnected } from "../src/cobol/StronglyConnected.js"
import { fixed, parse, program } from "./cobol-program.js"

const named = (name: string, procedure: string, data = "01 A PIC X."): ProgramSummary => {
  const text = program(data, procedure).replace("TEST1", name)
  const [summary] = analyse(parse(text))
  if (summary === undefined) throw new Error("no summary")
  return { ...summary, path: `${name}.cbl` }
}

const flow = (procedure: string) => controlFlow(parse(program("01 A PIC X.", procedure)).program.procedure)

describe("control flow between paragraphs", () => {
  it("finds unreachable paragraphs, respecting ranges and GO TO", () => {
    const found = flow(
      "    PERFORM P1 THRU P1-EXIT.\n    STOP RUN.\nP1.\n    GO TO P1-EXIT.\nP-MID.\n    DISPLAY A.\nP1-EXIT.\n    EXIT.\nP-DEAD.\n    PERFORM P-DEAD2.\nP-DEAD2.\n    EXIT."
    )
    expect(found.unreachable).toEqual(["P-MID", "P-DEAD", "P-DEAD2"])
    expect(found.transfers).toMatchObject([
      { from: "MAIN-PARA", to: "P1", through: "P1-EXIT", kind: "perform" },
      { from: "P1", to: "P1-EXIT", kind: "goto" },
      { from: "P-DEAD", to: "P-DEAD2" }
    ])
  })

  it("falls through and follows sections, labels and sort procedures", () => {
    const found = flow(
      "    PERFORM S1.\n    SORT F ASCENDING K INPUT PROCEDURE IN-P GIVING G.\n    EXEC CICS HANDLE CONDITION NOTFND(LOST) END-EXEC.\n    GOBACK.\nS1 SECTION.\nA1.\n    DISPLAY A.\nA2.\n    DISPLAY A.\nS2 SECTION.\nIN-P.\n    EXIT.\nLOST.\n    EXIT.\nDEAD.\n    EXIT PROGRAM."
    )
    expect(found.unreachable).toEqual([])
    expect(found.unresolved).toEqual([])
  })

  it("does not fall out of a performed paragraph", () => {
    expect(flow("    PERFORM P1.\n    GOBACK.\nP1.\n    DISPLAY A.\nP2.\n    EXIT.").unreachable).toEqual([
      "P2"
    ])
    expect(flow("    GO TO P1.\nP1.\n    DISPLAY A.\nP2.\n    EXIT.").unreachable).toEqual([])
  })

  it("knows branches that all leave, unresolved names and recursion", () => {
    const found = flow(
      "    IF A = 1 GOBACK ELSE GO TO P2 END-IF.\nP1.\n    EXIT.\nP2.\n    PERFORM P3.\n    PERFORM NOWHERE.\n    GOBACK.\nP3.\n    PERFORM P2."
    )
    expect(found.unreachable).toEqual(["P1"])
    expect(found.unresolved).toMatchObject([{ name: "NOWHERE" }])
    expect(found.recursions).toEqual([["P2", "P3"]])
  })

  it("treats declaratives as reachable and prefers the own section", () => {
    const text = fixed(
      "ID DIVISION.\nPROGRAM-ID. D.\nPROCEDURE DIVISION.\nDECLARATIVES.\nERR SECTION.\n    USE AFTER STANDARD ERROR PROCEDURE ON F.\nE1.\n    DISPLAY 'E'.\nEND DECLARATIVES.\nM SECTION.\nM1.\n    PERFORM X.\n    GOBACK.\nX.\n    EXIT.\nN SECTION.\nX.\n    EXIT."
    )
    const parsed = parse(text)
    expect(parsed.diagnostics).toEqual([])
    expect(parsed.program.procedure?.sections.map((section) => [section.name, section.declarative])).toEqual([
      ["ERR", true],
      ["M", false],
      ["N", false]
    ])
    expect(controlFlow(parsed.program.procedure).unreachable).toEqual(["X"])
  })
})

describe("calls", () => {
  const calls = (procedure: string, data: string) => callsOf(parse(program(data, procedure)).program)

  it("follows identifiers through VALUE, MOVE, SET and other identifiers", () => {
    const data =
      "01 PGM PIC X(8) VALUE 'SUBA'.\n01 OTHER-PGM PIC X(8).\n   88 IS-C VALUE 'SUBC'.\n01 IN-PGM PIC X(8)."
    expect(
      calls(
        "    MOVE 'subb' TO OTHER-PGM. SET IS-C TO TRUE.\n    MOVE OTHER-PGM TO PGM.\n    CALL PGM.",
        data
      )
    ).toMatchObject([
      { kind: "dynamic", identifier: "PGM", targets: ["SUBA", "SUBB", "SUBC"], isComplete: true }
    ])
    expect(calls("    ACCEPT IN-PGM. CALL IN-PGM.", data)).toMatchObject([{ targets: [], isComplete: false }])
    expect(calls("    MOVE IN-PGM TO PGM. ACCEPT IN-PGM.\n    CALL PGM.", data)).toMatchObject([
      { targets: ["SUBA"], isComplete: false }
    ])
  })

  it("follows tables that are filled by VALUEs of redefined storage", () => {
    const data =
      "01 STEPS.\n   05 FILLER PIC X(6) VALUE 'SUBA01'.\n   05 FILLER PIC X(6) VALUE 'SUBB02'.\n   05 FILLER PIC X(6) VALUE SPACES.\n01 STEP-TABLE REDEFINES STEPS.\n   05 STEP OCCURS 3 TIMES.\n      10 STEP-PGM PIC X(4).\n      10 FILLER PIC 99.\n01 PGM PIC X(8)."
    expect(calls("    MOVE STEP-PGM(2) TO PGM.\n    CALL PGM.", data)).toMatchObject([
      { targets: ["SUBA", "SUBB"], isComplete: true }
    ])
  })

  it("finds CICS transfers", () => {
    expect(
      calls(
        "    EXEC CICS LINK PROGRAM('P1') END-EXEC.\n    EXEC CICS XCTL PROGRAM(NEXT-PGM) END-EXEC.\n    CALL 'P3'.",
        "01 NEXT-PGM PIC X(8) VALUE 'P2'."
      )
    ).toMatchObject([
      { by: "LINK", kind: "static", targets: ["P1"] },
      { by: "XCTL", kind: "dynamic", targets: ["P2"], isComplete: true },
      { by: "CALL", kind: "static", targets: ["P3"] }
    ])
  })
})

describe("metrics", () => {
  it("counts statements, decisions and data", () => {
    const parsed = parse(
      program(
        "01 A PIC 9.\n   88 A-ON VALUE 1.\n01 B.\n   05 C PIC X.",
        "    IF A = 1 AND A-ON OR C = 'X' GO TO P1 END-IF.\n    EVALUATE A WHEN 1 CONTINUE WHEN 2 WHEN 3 CONTINUE\n      WHEN OTHER CONTINUE END-EVALUATE.\n    PERFORM P1 UNTIL A = 1.\n    EXEC SQL UPDATE T SET X = 1 END-EXEC.\nP1.\n    READ F AT END CONTINUE NOT AT END CONTINUE END-READ."
      )
    )
    expect(metricsOf(parsed.program)).toMatchObject({
      paragraphs: 2,
      complexity: 1 + 3 + 3 + 1 + 1,
      goTos: 1,
      dataItems: 3,
      conditionNames: 1,
      unknownStatements: 0,
      sqlTables: [{ name: "T", access: "write" }],
      sqlCommands: { UPDATE: 1 },
      statements: { Continue: 5, GoTo: 1, If: 1 }
    })
  })
})

describe("programs in one file", () => {
  it("keeps nested programs inside and following ones beside", () => {
    const one = (name: string, inner = "", end = true) =>
      `IDENTIFICATION DIVISION.\nPROGRAM-ID. ${name}.\nPROCEDURE DIVISION.\n    GOBACK.\n${inner}${end ? `END PROGRAM ${name}.\n` : ""}`
    const nested = parse(fixed(one("OUTER", one("INNER1", one("DEEP")) + one("INNER2")) + one("SECOND")))
    expect(nested.program.nested.map((inner) => [inner.name, inner.nested.map(({ name }) => name)])).toEqual([
      ["INNER1", ["DEEP"]],
      ["INNER2", []]
    ])
    expect(nested.others.map(({ name }) => name)).toEqual(["SECOND"])
    expect(analyse(nested).map(({ name, within }) => [name, within])).toEqual([
      ["OUTER", undefined],
      ["INNER1", "OUTER"],
      ["DEEP", "INNER1"],
      ["INNER2", "OUTER"],
      ["SECOND", undefined]
    ])
    const flat = parse(fixed(one("A1", "", false) + one("B1", "", false)))
    expect([flat.program.name, ...flat.others.map(({ name }) => name)]).toEqual(["A1", "B1"])
    expect(flat.program.nested).toEqual([])
  })
})

describe("the graph", () => {
  const programs = [
    named("MAIN", "    CALL 'SUB1'. CALL 'LOST'. CALL 'CBLTDLI'.\n    CALL VAR-PGM."),
    named("SUB1", "    CALL 'SUB2'."),
    named("SUB2", "    CALL 'SUB1'. CALL 'SUB3'."),
    named("SUB3", "    ENTRY 'ALT'. GOBACK."),
    named("USER", "    CALL 'ALT'.")
  ]
  const graph = buildGraph(programs)

  it("orders callees first and groups cycles", () => {
    expect(graph.order).toEqual([["SUB3"], ["SUB1", "SUB2"], ["MAIN"], ["USER"]])
    expect(graph.cycles).toEqual([["SUB1", "SUB2"]])
    expect(graph.roots).toEqual(["MAIN", "USER"])
    expect(graph.missing).toEqual([
      { name: "CBLTDLI", calledBy: ["MAIN"], isSystem: true },
      { name: "LOST", calledBy: ["MAIN"], isSystem: false }
    ])
    expect(graph.openCalls).toMatchObject([{ program: "MAIN", identifier: "VAR-PGM" }])
    expect(graph.totals).toMatchObject({ programs: 5, dynamicCalls: 1, calls: 8 })
  })

  it("does not depend on the order of the programs and is plain JSON", () => {
    expect(buildGraph([...programs].reverse())).toEqual(graph)
    expect(JSON.parse(JSON.stringify(graph))).toEqual(graph)
    expect(JSON.parse(JSON.stringify(programs))).toEqual(programs)
  })

  it("copes with very long chains", () => {
    const chain = Array.from({ length: 50_000 }, (_, index) => (index + 1 < 50_000 ? [index + 1] : []))
    expect(stronglyConnected(chain)[0]).toEqual([49_999])
  })
})
