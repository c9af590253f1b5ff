000100 IDENTIFICATION DIVISION.                                         INTCALC
000200 PROGRAM-ID.    INTCALC.                                          INTCALC
000300 AUTHOR.        SAVINGS PRODUCTS.                                 INTCALC
000400*---------------------------------------------------------------- INTCALC
000500* DAILY INTEREST ON ONE ACCOUNT.  THE BAND IS FOUND WITH THE      INTCALC
000600* CLOSING BALANCE, THE DAY COUNT IS ACTUAL/365.  OVERDRAWN CURRENTINTCALC
000700* ACCOUNTS PAY A FLAT DEBIT RATE.                                 INTCALC
000800*---------------------------------------------------------------- INTCALC
000900 ENVIRONMENT DIVISION.                                            INTCALC
001000 CONFIGURATION SECTION.                                           INTCALC
001100 SOURCE-COMPUTER.  IBM-ZOS.                                       INTCALC
001200 DATA DIVISION.                                                   INTCALC
001300 WORKING-STORAGE SECTION.                                         INTCALC
001400 77  WS-DEBIT-RATE                PIC 9(2)V9(3) VALUE 11.950.     INTCALC
001500 77  WS-DAYS-IN-YEAR              PIC 9(3)      VALUE 365.        INTCALC
001600 77  WS-RATE                      PIC S9(2)V9(3) COMP-3.          INTCALC
001700 77  WS-INTEREST                  PIC S9(7)V9(4) COMP-3.          INTCALC
001800 77  WS-WHOLE-BALANCE             PIC 9(9).                       INTCALC
001900 77  WS-BAND-FOUND                PIC X VALUE 'N'.                INTCALC
002000     88  BAND-FOUND               VALUE 'Y'.                      INTCALC
002100 COPY RATETAB.                                                    INTCALC
002200 COPY ERRPARM.                                                    INTCALC
002300 LINKAGE SECTION.                                                 INTCALC
002400 COPY ACCTREC REPLACING ==:TAG:== BY ==IA==.                      INTCALC
002500 01  LK-DAYS                      PIC 9(3) COMP.                  INTCALC
002600 01  LK-RETURN                    PIC 99.                         INTCALC
002700     88  LK-DONE                  VALUE 0.                        INTCALC
002800     88  LK-SKIPPED               VALUE 4.                        INTCALC
002900     88  LK-FAILED                VALUE 8.                        INTCALC
003000 PROCEDURE DIVISION USING IA-ACCOUNT-RECORD LK-DAYS LK-RETURN.    INTCALC
003100 A000-MAIN SECTION.                                               INTCALC
003200 A010-START.                                                      INTCALC
003300     SET LK-DONE TO TRUE                                          INTCALC
003400     MOVE ZERO TO WS-INTEREST WS-RATE                             INTCALC
003500     IF IA-CLOSED OR IA-IS-LOAN                                   INTCALC
003600         SET LK-SKIPPED TO TRUE                                   INTCALC
003700         GO TO A999-EXIT                                          INTCALC
003800     END-IF.                                                      INTCALC
003900 A020-CALCULATE.                                                  INTCALC
004000     IF IA-BALANCE < ZERO                                         INTCALC
004100         IF IA-IS-CURRENT                                         INTCALC
004200             MOVE WS-DEBIT-RATE TO WS-RATE                        INTCALC
004300         ELSE                                                     INTCALC
004400             SET LK-SKIPPED TO TRUE                               INTCALC
004500             GO TO A999-EXIT                                      INTCALC
004600     ELSE                                                         INTCALC
004700         IF IA-IS-SAVINGS                                         INTCALC
004800             PERFORM B000-FIND-BAND                               INTCALC
004900         ELSE                                                     INTCALC
005000             SET LK-SKIPPED TO TRUE                               INTCALC
005100             GO TO A999-EXIT.                                     INTCALC
005200     PERFORM C000-ACCRUE.                                         INTCALC
005300 A999-EXIT.                                                       INTCALC
005400     GOBACK.                                                      INTCALC
005500                                                                  INTCALC
005600 B000-FIND-BAND SECTION.                                          INTCALC
005700 B010-LOOK.                                                       INTCALC
005800     MOVE 'N' TO WS-BAND-FOUND                                    INTCALC
005900     MOVE IA-BALANCE TO WS-WHOLE-BALANCE                          INTCALC
006000     PERFORM VARYING RATE-IX FROM 5 BY -1                         INTCALC
006100             UNTIL RATE-IX < 1 OR BAND-FOUND                      INTCALC
006200         IF WS-WHOLE-BALANCE NOT < RATE-LOWER (RATE-IX)           INTCALC
006300             SET BAND-FOUND TO TRUE                               INTCALC
006400             MOVE RATE-PERCENT (RATE-IX) TO WS-RATE               INTCALC
006500         END-IF                                                   INTCALC
006600     END-PERFORM.                                                 INTCALC
006700 B020-EXACT-HIT.                                                  INTCALC
006800     SET RATE-IX TO 1                                             INTCALC
006900     SEARCH ALL RATE-BAND                                         INTCALC
007000         AT END                                                   INTCALC
007100             CONTINUE                                             INTCALC
007200         WHEN RATE-LOWER (RATE-IX) = WS-WHOLE-BALANCE             INTCALC
007300             DISPLAY 'BALANCE ON BAND LIMIT ' IA-ACCT-NO          INTCALC
007400     END-SEARCH.                                                  INTCALC
007500                                                                  INTCALC
007600 C000-ACCRUE SECTION.                                             INTCALC
007700 C010-COMPUTE.                                                    INTCALC
007800     COMPUTE WS-INTEREST ROUNDED =                                INTCALC
007900         IA-BALANCE * WS-RATE * LK-DAYS                           INTCALC
008000             / (100 * WS-DAYS-IN-YEAR)                            INTCALC
008100         ON SIZE ERROR                                            INTCALC
008200             PERFORM C900-REPORT                                  INTCALC
008300         NOT ON SIZE ERROR                                        INTCALC
008400             ADD WS-INTEREST TO IA-ACCRUED                        INTCALC
008500     END-COMPUTE.                                                 INTCALC
008600 C020-TRACE.                                                      INTCALC
008700D    DISPLAY 'INTCALC ' IA-ACCT-NO ' RATE ' WS-RATE               INTCALC
008800D            ' INTEREST ' WS-INTEREST.                            INTCALC
008900     GO TO C999-EXIT.                                             INTCALC
009000 C900-REPORT.                                                     INTCALC
009100     SET LK-FAILED TO TRUE                                        INTCALC
009200     MOVE 'INTCALC'     TO EP-PROGRAM                             INTCALC
009300     MOVE 'C010-COMPUTE' TO EP-PARAGRAPH                          INTCALC
009400     MOVE 8             TO EP-SEVERITY                            INTCALC
009500     MOVE 'INT001'      TO EP-CODE                                INTCALC
009600     MOVE        'INTEREST DOES NOT FIT, ACCOUNT NEEDS MANUAL REVIINTCALC
009700-    'EW' TO EP-TEXT                                              INTCALC
009800     CALL 'ERRHAND' USING ERROR-PARM.                             INTCALC
009900 C999-EXIT.                                                       INTCALC
010000     EXIT.                                                        INTCALC
