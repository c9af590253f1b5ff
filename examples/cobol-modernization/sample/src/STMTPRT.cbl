000100 IDENTIFICATION DIVISION.                                         STMTPRT
000200 PROGRAM-ID.    STMTPRT.                                          STMTPRT
000300 AUTHOR.        CUSTOMER OUTPUT.                                  STMTPRT
000400*---------------------------------------------------------------- STMTPRT
000500* MONTHLY STATEMENTS.  COLLECTS THE TRANSACTIONS OF ONE ACCOUNT INSTMTPRT
000600* A TABLE AND PRINTS THEM WITH A RUNNING BALANCE.                 STMTPRT
000700*---------------------------------------------------------------- STMTPRT
000800 ENVIRONMENT DIVISION.                                            STMTPRT
000900 INPUT-OUTPUT SECTION.                                            STMTPRT
001000 FILE-CONTROL.                                                    STMTPRT
001100     SELECT TRAN-FILE ASSIGN TO 'TRANMONTH'                       STMTPRT
001200         ORGANIZATION IS SEQUENTIAL.                              STMTPRT
001300     SELECT PRINT-FILE ASSIGN TO 'STMTOUT'                        STMTPRT
001400         ORGANIZATION IS LINE SEQUENTIAL.                         STMTPRT
001500 DATA DIVISION.                                                   STMTPRT
001600 FILE SECTION.                                                    STMTPRT
001700 FD  TRAN-FILE.                                                   STMTPRT
001800 01  TRAN-RECORD.                                                 STMTPRT
001900     COPY TRANREC.                                                STMTPRT
002000 FD  PRINT-FILE.                                                  STMTPRT
002100 01  PRINT-LINE                   PIC X(80).                      STMTPRT
002200 WORKING-STORAGE SECTION.                                         STMTPRT
002300 77  WS-LINES-ON-PAGE             PIC 99    VALUE 99.             STMTPRT
002400     88  PAGE-IS-FULL             VALUE 50 THRU 99.               STMTPRT
002500 77  WS-PAGE                      PIC 9(3)  VALUE ZERO.           STMTPRT
002600 77  WS-EOF                       PIC 9     VALUE 0.              STMTPRT
002700     88  AT-EOF                   VALUE 1.                        STMTPRT
002800 77  WS-BALANCE                   PIC S9(9)V99 COMP-3 VALUE ZERO. STMTPRT
002900 77  WS-SIGNED-AMOUNT             PIC S9(9)V99 COMP-3.            STMTPRT
003000 77  WS-CURRENT-ACCOUNT           PIC X(12) VALUE LOW-VALUES.     STMTPRT
003100 77  WS-FULL-NAME                 PIC X(36).                      STMTPRT
003200 77  WS-NAME-POINTER              PIC 99.                         STMTPRT
003300 01  WS-ENTRY-COUNT               PIC 9(3) COMP VALUE ZERO.       STMTPRT
003400 01  WS-ENTRIES.                                                  STMTPRT
003500     05  WS-ENTRY OCCURS 1 TO 200 TIMES                           STMTPRT
003600             DEPENDING ON WS-ENTRY-COUNT                          STMTPRT
003700             INDEXED BY ENTRY-IX.                                 STMTPRT
003800         10  EN-DATE              PIC 9(8).                       STMTPRT
003900         10  EN-TYPE              PIC X.                          STMTPRT
004000         10  EN-AMOUNT            PIC S9(9)V99 COMP-3.            STMTPRT
004100         10  EN-TEXT              PIC X(28).                      STMTPRT
004200 01  WS-LEGAL-TEXT                PIC X(120) VALUE                STMTPRT
004300         'PLEASE CHECK THIS STATEMENT. OBJECTIONS MUST REACH THE BSTMTPRT
004400-        'RANCH WITHIN SIX WEEKS, AFTER THAT IT COUNTS AS ACCEPTEDSTMTPRT
004500-    '.'.                                                         STMTPRT
004600 COPY STMTLINE.                                                   STMTPRT
004700 COPY CUSTREC.                                                    STMTPRT
004800 66  CUST-SHORT RENAMES CUST-ID THRU CUST-FORENAME.               STMTPRT
004900 PROCEDURE DIVISION.                                              STMTPRT
005000 0000-MAIN.                                                       STMTPRT
005100     OPEN INPUT TRAN-FILE OUTPUT PRINT-FILE                       STMTPRT
005200     PERFORM 1000-READ                                            STMTPRT
005300     PERFORM 2000-ONE-ACCOUNT THRU 2000-EXIT UNTIL AT-EOF         STMTPRT
005400     PERFORM 3 TIMES                                              STMTPRT
005500         MOVE SPACES TO PRINT-LINE                                STMTPRT
005600         WRITE PRINT-LINE                                         STMTPRT
005700     END-PERFORM                                                  STMTPRT
005800     MOVE WS-LEGAL-TEXT (1:80) TO PRINT-LINE                      STMTPRT
005900     WRITE PRINT-LINE AFTER ADVANCING 2 LINES                     STMTPRT
006000     MOVE WS-LEGAL-TEXT (81:) TO PRINT-LINE                       STMTPRT
006100     WRITE PRINT-LINE                                             STMTPRT
006200     CLOSE TRAN-FILE PRINT-FILE                                   STMTPRT
006300     STOP RUN.                                                    STMTPRT
006400                                                                  STMTPRT
006500 1000-READ.                                                       STMTPRT
006600     READ TRAN-FILE                                               STMTPRT
006700         AT END MOVE 1 TO WS-EOF                                  STMTPRT
006800     END-READ.                                                    STMTPRT
006900                                                                  STMTPRT
007000 2000-ONE-ACCOUNT.                                                STMTPRT
007100     MOVE TR-ACCOUNT TO WS-CURRENT-ACCOUNT                        STMTPRT
007200     MOVE ZERO TO WS-ENTRY-COUNT WS-BALANCE.                      STMTPRT
007300 2010-COLLECT.                                                    STMTPRT
007400     IF AT-EOF OR TR-ACCOUNT NOT = WS-CURRENT-ACCOUNT             STMTPRT
007500         GO TO 2020-PRINT                                         STMTPRT
007600     END-IF                                                       STMTPRT
007700     IF WS-ENTRY-COUNT < 200                                      STMTPRT
007800         ADD 1 TO WS-ENTRY-COUNT                                  STMTPRT
007900         SET ENTRY-IX TO WS-ENTRY-COUNT                           STMTPRT
008000         MOVE TR-DATE   TO EN-DATE (ENTRY-IX)                     STMTPRT
008100         MOVE TR-TYPE   TO EN-TYPE (ENTRY-IX)                     STMTPRT
008200         MOVE TR-AMOUNT TO EN-AMOUNT (ENTRY-IX)                   STMTPRT
008300         MOVE TR-TEXT   TO EN-TEXT (ENTRY-IX)                     STMTPRT
008400     ELSE                                                         STMTPRT
008500         DISPLAY 'STMTPRT: TOO MANY ENTRIES FOR '                 STMTPRT
008600             WS-CURRENT-ACCOUNT                                   STMTPRT
008700     END-IF                                                       STMTPRT
008800     PERFORM 1000-READ                                            STMTPRT
008900     GO TO 2010-COLLECT.                                          STMTPRT
009000 2020-PRINT.                                                      STMTPRT
009100     PERFORM 3000-FULL-NAME                                       STMTPRT
009200     MOVE 99 TO WS-LINES-ON-PAGE                                  STMTPRT
009300     PERFORM VARYING ENTRY-IX FROM 1 BY 1                         STMTPRT
009400             UNTIL ENTRY-IX > WS-ENTRY-COUNT                      STMTPRT
009500         IF PAGE-IS-FULL                                          STMTPRT
009600             PERFORM 4000-HEADINGS                                STMTPRT
009700         END-IF                                                   STMTPRT
009800         IF EN-TYPE (ENTRY-IX) = 'C'                              STMTPRT
009900             MOVE EN-AMOUNT (ENTRY-IX) TO WS-SIGNED-AMOUNT        STMTPRT
010000         ELSE                                                     STMTPRT
010100             COMPUTE WS-SIGNED-AMOUNT = 0 - EN-AMOUNT (ENTRY-IX)  STMTPRT
010200         END-IF                                                   STMTPRT
010300         ADD WS-SIGNED-AMOUNT TO WS-BALANCE                       STMTPRT
010400         MOVE EN-DATE (ENTRY-IX) TO SD-DATE                       STMTPRT
010500         MOVE EN-TEXT (ENTRY-IX) TO SD-TEXT                       STMTPRT
010600         MOVE WS-SIGNED-AMOUNT   TO SD-AMOUNT                     STMTPRT
010700         MOVE WS-BALANCE         TO SD-BALANCE                    STMTPRT
010800         WRITE PRINT-LINE FROM STMT-DETAIL                        STMTPRT
010900         ADD 1 TO WS-LINES-ON-PAGE                                STMTPRT
011000     END-PERFORM                                                  STMTPRT
011100     MOVE WS-BALANCE TO SF-BALANCE                                STMTPRT
011200     WRITE PRINT-LINE FROM STMT-FOOTER.                           STMTPRT
011300 2000-EXIT.                                                       STMTPRT
011400     EXIT.                                                        STMTPRT
011500                                                                  STMTPRT
011600 3000-FULL-NAME.                                                  STMTPRT
011700     MOVE SPACES TO WS-FULL-NAME                                  STMTPRT
011800     MOVE 1 TO WS-NAME-POINTER                                    STMTPRT
011900     STRING CUST-FORENAME DELIMITED BY '  '                       STMTPRT
012000            SPACE         DELIMITED BY SIZE                       STMTPRT
012100            CUST-SURNAME  DELIMITED BY '  '                       STMTPRT
012200         INTO WS-FULL-NAME                                        STMTPRT
012300         POINTER WS-NAME-POINTER                                  STMTPRT
012400     END-STRING.                                                  STMTPRT
012500                                                                  STMTPRT
012600 4000-HEADINGS.                                                   STMTPRT
012700     ADD 1 TO WS-PAGE                                             STMTPRT
012800     MOVE WS-PAGE TO SH-PAGE                                      STMTPRT
012900     MOVE WS-CURRENT-ACCOUNT (1:4) TO SH-BRANCH                   STMTPRT
013000     MOVE WS-CURRENT-ACCOUNT (5:8) TO SH-ACCT-NO                  STMTPRT
013100     MOVE WS-FULL-NAME TO SH-NAME                                 STMTPRT
013200     WRITE PRINT-LINE FROM STMT-HEADING-1                         STMTPRT
013300         AFTER ADVANCING PAGE                                     STMTPRT
013400     WRITE PRINT-LINE FROM STMT-HEADING-2                         STMTPRT
013500     MOVE 4 TO WS-LINES-ON-PAGE.                                  STMTPRT
