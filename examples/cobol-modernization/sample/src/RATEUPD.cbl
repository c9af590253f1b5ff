000100 IDENTIFICATION DIVISION.                                         RATEUPD
000200 PROGRAM-ID.    RATEUPD.                                          RATEUPD
000300 AUTHOR.        TREASURY SYSTEMS.                                 RATEUPD
000400*---------------------------------------------------------------- RATEUPD
000500* CARRIES THE RATE DECISIONS OF THE TREASURY INTO THE PRODUCT     RATEUPD
000600* TABLE AND LOGS EVERY CHANGE ABOVE THE WARNING LIMIT.            RATEUPD
000700*---------------------------------------------------------------- RATEUPD
000800 ENVIRONMENT DIVISION.                                            RATEUPD
000900 DATA DIVISION.                                                   RATEUPD
001000 WORKING-STORAGE SECTION.                                         RATEUPD
001100     EXEC SQL INCLUDE SQLCA END-EXEC.                             RATEUPD
001200     EXEC SQL BEGIN DECLARE SECTION END-EXEC.                     RATEUPD
001300 01  HV-PRODUCT.                                                  RATEUPD
001400     05  HV-PRODUCT-CODE          PIC X(4).                       RATEUPD
001500     05  HV-OLD-RATE              PIC S9(3)V9(4) COMP-3.          RATEUPD
001600     05  HV-NEW-RATE              PIC S9(3)V9(4) COMP-3.          RATEUPD
001700     05  HV-VALID-FROM            PIC X(10).                      RATEUPD
001800 01  HV-ROWS                      PIC S9(9) COMP.                 RATEUPD
001900     EXEC SQL END DECLARE SECTION END-EXEC.                       RATEUPD
002000 77  WS-DIFFERENCE                PIC S9(3)V9(4) COMP-3.          RATEUPD
002100 77  WS-WARNING-LIMIT             PIC S9V9(4) COMP-3 VALUE 0.7500.RATEUPD
002200 77  WS-CHANGES                   PIC 9(5) COMP VALUE ZERO.       RATEUPD
002300 77  WS-WARNINGS                  PIC 9(5) COMP VALUE ZERO.       RATEUPD
002400 77  WS-SQLCODE-SHOW              PIC -(8)9.                      RATEUPD
002500 77  WS-CURSOR-STATE              PIC X VALUE 'C'.                RATEUPD
002600     88  CURSOR-OPEN              VALUE 'O'.                      RATEUPD
002700     88  CURSOR-CLOSED            VALUE 'C'.                      RATEUPD
002800     88  CURSOR-END               VALUE 'E'.                      RATEUPD
002900 COPY ERRPARM.                                                    RATEUPD
003000     EXEC SQL                                                     RATEUPD
003100         DECLARE RATE_CURSOR CURSOR WITH HOLD FOR                 RATEUPD
003200         SELECT P.PRODUCT_CODE, P.RATE, D.RATE, D.VALID_FROM      RATEUPD
003300           FROM PRODUCT P                                         RATEUPD
003400           JOIN RATE_DECISION D                                   RATEUPD
003500             ON D.PRODUCT_CODE = P.PRODUCT_CODE                   RATEUPD
003600          WHERE D.APPLIED = 'N'                                   RATEUPD
003700          ORDER BY P.PRODUCT_CODE                                 RATEUPD
003800            FOR UPDATE OF P.RATE                                  RATEUPD
003900     END-EXEC.                                                    RATEUPD
004000 PROCEDURE DIVISION.                                              RATEUPD
004100 0000-MAIN.                                                       RATEUPD
004200     EXEC SQL                                                     RATEUPD
004300         SELECT COUNT(*) INTO :HV-ROWS                            RATEUPD
004400           FROM RATE_DECISION                                     RATEUPD
004500          WHERE APPLIED = 'N'                                     RATEUPD
004600     END-EXEC                                                     RATEUPD
004700     IF SQLCODE < 0                                               RATEUPD
004800         PERFORM 9000-SQL-ERROR                                   RATEUPD
004900     END-IF                                                       RATEUPD
005000     IF HV-ROWS = 0                                               RATEUPD
005100         DISPLAY 'RATEUPD: NOTHING TO DO'                         RATEUPD
005200         GO TO 0000-END                                           RATEUPD
005300     END-IF                                                       RATEUPD
005400     EXEC SQL OPEN RATE_CURSOR END-EXEC                           RATEUPD
005500     PERFORM 9100-CHECK                                           RATEUPD
005600     SET CURSOR-OPEN TO TRUE                                      RATEUPD
005700     PERFORM 1000-FETCH                                           RATEUPD
005800     PERFORM 2000-APPLY UNTIL CURSOR-END                          RATEUPD
005900     EXEC SQL CLOSE RATE_CURSOR END-EXEC                          RATEUPD
006000     SET CURSOR-CLOSED TO TRUE                                    RATEUPD
006100     EXEC SQL COMMIT END-EXEC                                     RATEUPD
006200     DISPLAY 'RATEUPD: CHANGES ' WS-CHANGES                       RATEUPD
006300         ' WARNINGS ' WS-WARNINGS.                                RATEUPD
006400 0000-END.                                                        RATEUPD
006500     GOBACK.                                                      RATEUPD
006600                                                                  RATEUPD
006700 1000-FETCH.                                                      RATEUPD
006800     EXEC SQL                                                     RATEUPD
006900         FETCH RATE_CURSOR                                        RATEUPD
007000          INTO :HV-PRODUCT-CODE, :HV-OLD-RATE,                    RATEUPD
007100               :HV-NEW-RATE, :HV-VALID-FROM                       RATEUPD
007200     END-EXEC                                                     RATEUPD
007300     EVALUATE SQLCODE                                             RATEUPD
007400         WHEN 0                                                   RATEUPD
007500             CONTINUE                                             RATEUPD
007600         WHEN 100                                                 RATEUPD
007700             SET CURSOR-END TO TRUE                               RATEUPD
007800         WHEN OTHER                                               RATEUPD
007900             PERFORM 9000-SQL-ERROR                               RATEUPD
008000     END-EVALUATE.                                                RATEUPD
008100                                                                  RATEUPD
008200 2000-APPLY.                                                      RATEUPD
008300     SUBTRACT HV-OLD-RATE FROM HV-NEW-RATE GIVING WS-DIFFERENCE   RATEUPD
008400     IF WS-DIFFERENCE < 0                                         RATEUPD
008500         MULTIPLY -1 BY WS-DIFFERENCE                             RATEUPD
008600     END-IF                                                       RATEUPD
008700     IF WS-DIFFERENCE > WS-WARNING-LIMIT                          RATEUPD
008800         ADD 1 TO WS-WARNINGS                                     RATEUPD
008900         PERFORM 3000-WARN                                        RATEUPD
009000     END-IF                                                       RATEUPD
009100     EXEC SQL                                                     RATEUPD
009200         UPDATE PRODUCT                                           RATEUPD
009300            SET RATE = :HV-NEW-RATE                               RATEUPD
009400          WHERE CURRENT OF RATE_CURSOR                            RATEUPD
009500     END-EXEC                                                     RATEUPD
009600     PERFORM 9100-CHECK                                           RATEUPD
009700     ADD 1 TO WS-CHANGES                                          RATEUPD
009800     PERFORM 1000-FETCH.                                          RATEUPD
009900                                                                  RATEUPD
010000 3000-WARN.                                                       RATEUPD
010100     MOVE 'RATEUPD'   TO EP-PROGRAM                               RATEUPD
010200     MOVE '3000-WARN' TO EP-PARAGRAPH                             RATEUPD
010300     MOVE 4           TO EP-SEVERITY                              RATEUPD
010400     MOVE 'RAT004'    TO EP-CODE                                  RATEUPD
010500     STRING 'LARGE RATE CHANGE FOR PRODUCT '                      RATEUPD
010600            HV-PRODUCT-CODE DELIMITED BY SIZE                     RATEUPD
010700         INTO EP-TEXT                                             RATEUPD
010800     CALL 'ERRHAND' USING ERROR-PARM.                             RATEUPD
010900                                                                  RATEUPD
011000 9000-SQL-ERROR.                                                  RATEUPD
011100     MOVE SQLCODE TO WS-SQLCODE-SHOW                              RATEUPD
011200     DISPLAY 'RATEUPD: SQLCODE ' WS-SQLCODE-SHOW                  RATEUPD
011300     EXEC SQL ROLLBACK END-EXEC                                   RATEUPD
011400     MOVE 16 TO RETURN-CODE                                       RATEUPD
011500     STOP RUN.                                                    RATEUPD
011600                                                                  RATEUPD
011700 9100-CHECK.                                                      RATEUPD
011800     IF SQLCODE NOT = 0                                           RATEUPD
011900         PERFORM 9000-SQL-ERROR                                   RATEUPD
012000     END-IF.                                                      RATEUPD
