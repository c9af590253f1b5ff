000100* PRINT LINES OF THE MONTHLY STATEMENT                            STMTLINE
000200 01  STMT-HEADING-1.                                              STMTLINE
000300     05  FILLER                   PIC X(10) VALUE SPACES.         STMTLINE
000400     05  SH-BANK                  PIC X(30) VALUE                 STMTLINE
000500         'NORTHGATE SAVINGS BANK'.                                STMTLINE
000600     05  FILLER                   PIC X(6)  VALUE 'PAGE '.        STMTLINE
000700     05  SH-PAGE                  PIC ZZ9.                        STMTLINE
000800 01  STMT-HEADING-2.                                              STMTLINE
000900     05  FILLER                   PIC X(10) VALUE 'ACCOUNT '.     STMTLINE
001000     05  SH-BRANCH                PIC 9(4).                       STMTLINE
001100     05  FILLER                   PIC X     VALUE '-'.            STMTLINE
001200     05  SH-ACCT-NO               PIC 9(8).                       STMTLINE
001300     05  FILLER                   PIC X(4)  VALUE SPACES.         STMTLINE
001400     05  SH-NAME                  PIC X(36).                      STMTLINE
001500 01  STMT-DETAIL.                                                 STMTLINE
001600     05  SD-DATE                  PIC 9999/99/99.                 STMTLINE
001700     05  FILLER                   PIC X(2)  VALUE SPACES.         STMTLINE
001800     05  SD-TEXT                  PIC X(28).                      STMTLINE
001900     05  FILLER                   PIC X(2)  VALUE SPACES.         STMTLINE
002000     05  SD-AMOUNT                PIC ZZZ,ZZZ,ZZ9.99-.            STMTLINE
002100     05  FILLER                   PIC X(2)  VALUE SPACES.         STMTLINE
002200     05  SD-BALANCE               PIC ZZZ,ZZZ,ZZ9.99CR.           STMTLINE
002300 01  STMT-FOOTER.                                                 STMTLINE
002400     05  FILLER                   PIC X(10) VALUE SPACES.         STMTLINE
002500     05  SF-LABEL                 PIC X(30) VALUE                 STMTLINE
002600         'CLOSING BALANCE'.                                       STMTLINE
002700     05  SF-BALANCE               PIC $$$,$$$,$$9.99-.            STMTLINE
