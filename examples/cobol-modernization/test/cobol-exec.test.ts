import { describe, expect, it } from "vitest"
import { execStatement } from "../src/cobol/ExecParser.js"
import { first, parse, program } from "./cobol-program.js"

const at = { file: "T", line: 1 }
const exec = (text: string) => execStatement(text, at)

describe("EXEC SQL", () => {
  it("finds command, host variables and tables", () => {
    expect(
      exec(
        "SQL SELECT A, COUNT(*) INTO :WS-A, :REC.B:IND FROM BANK.ACCT T1, CUST T2\n LEFT JOIN ADDR ON T1.X = ADDR.X WHERE EXTRACT(YEAR FROM D) = 1 AND N = ':NOT' AND Y IN (SELECT Y FROM YEARS)"
      )
    ).toMatchObject({
      _tag: "ExecSql",
      command: "SELECT",
      hostVariables: ["WS-A", "REC.B", "IND"],
      tables: [
        { name: "BANK.ACCT", access: "read" },
        { name: "CUST", access: "read" },
        { name: "ADDR", access: "read" },
        { name: "YEARS", access: "read" }
      ]
    })
    expect(exec("SQL INSERT INTO LOGS (A) SELECT A FROM OTHER WHERE A = :A")).toMatchObject({
      command: "INSERT",
      tables: [
        { name: "LOGS", access: "write" },
        { name: "OTHER", access: "read" }
      ]
    })
    expect(exec("SQL UPDATE ACCT SET A = :A WHERE CURRENT OF C1")).toMatchObject({
      tables: [{ name: "ACCT", access: "write" }],
      cursor: "C1"
    })
    expect(exec("SQL DELETE FROM ACCT")).toMatchObject({ tables: [{ name: "ACCT", access: "write" }] })
    expect(exec("SQL DECLARE C1 CURSOR WITH HOLD FOR SELECT A FROM ACCT FOR UPDATE OF A")).toMatchObject({
      command: "DECLARE CURSOR",
      cursor: "C1",
      tables: [{ name: "ACCT", access: "read" }]
    })
    expect(exec("SQL FETCH NEXT FROM C1 INTO :A")).toMatchObject({
      command: "FETCH",
      cursor: "C1",
      tables: []
    })
    expect(exec("SQL WITH X AS (SELECT A FROM T) SELECT A INTO :A FROM X")).toMatchObject({
      tables: [{ name: "T" }]
    })
    expect(exec("SQL INCLUDE SQLCA")).toMatchObject({ command: "INCLUDE", include: "SQLCA" })
    expect(exec("SQL COMMIT")).toMatchObject({ command: "COMMIT", tables: [] })
  })
})

describe("EXEC CICS", () => {
  it("finds command, program, map and options", () => {
    expect(exec("CICS LINK PROGRAM('SUB1') COMMAREA(WS-AREA)")).toMatchObject({
      _tag: "ExecCics",
      command: "LINK",
      program: "SUB1",
      programIsLiteral: true,
      hostVariables: ["WS-AREA"]
    })
    expect(exec("CICS XCTL PROGRAM (WS-NEXT) LENGTH(LENGTH OF WS-AREA)")).toMatchObject({
      program: "WS-NEXT",
      programIsLiteral: false,
      hostVariables: ["WS-NEXT", "WS-AREA"]
    })
    expect(exec("CICS SEND MAP('M1') MAPSET('S1') FROM(M1O) ERASE")).toMatchObject({
      command: "SEND MAP",
      map: "M1",
      mapset: "S1",
      options: [{ name: "MAP" }, { name: "MAPSET" }, { name: "FROM", value: "M1O" }, { name: "ERASE" }]
    })
    expect(exec("CICS RETURN TRANSID('TR01')")).toMatchObject({ command: "RETURN", transaction: "TR01" })
    expect(exec("CICS READ DATASET('CUST') INTO(R) RIDFLD(K)")).toMatchObject({
      command: "READ",
      file: "CUST"
    })
    expect(exec("CICS HANDLE CONDITION NOTFND(P-1)")).toMatchObject({
      command: "HANDLE CONDITION",
      hostVariables: []
    })
  })
})

describe("EXEC in programs", () => {
  it("stands anywhere a statement may", () => {
    const statement = first(
      "If",
      "    IF A = 1 EXEC CICS ABEND END-EXEC ELSE\n    EXEC DLI GU END-EXEC END-IF."
    )
    expect(statement.then).toMatchObject([{ _tag: "ExecCics", command: "ABEND" }])
    expect(statement.otherwise).toMatchObject([{ _tag: "ExecOther", dialect: "DLI" }])
    const parsed = parse(
      program(
        "EXEC SQL DECLARE C CURSOR FOR SELECT A FROM T END-EXEC.\n01 A PIC X.",
        "    EXEC SQL OPEN C END-EXEC."
      )
    )
    expect(parsed.program.data.embedded).toMatchObject([{ command: "DECLARE CURSOR" }])
    expect(parsed.diagnostics).toEqual([])
  })
})
