000100 IDENTIFICATION DIVISION.                                         FRAUDCHK
000200 PROGRAM-ID.    FRAUDCHK.                                         FRAUDCHK
000300 AUTHOR.        PAYMENT CONTROL.                                  FRAUDCHK
000400*---------------------------------------------------------------- FRAUDCHK
000500* SCORES ONE PAYMENT.  EVERY RULE ADDS POINTS, THE SUM DECIDES.   FRAUDCHK
000600* THE LIMITS WERE AGREED WITH THE COMPLIANCE OFFICE IN 2009.      FRAUDCHK
000700*---------------------------------------------------------------- FRAUDCHK
000800 ENVIRONMENT DIVISION.                                            FRAUDCHK
000900 DATA DIVISION.                                                   FRAUDCHK
001000 WORKING-STORAGE SECTION.                                         FRAUDCHK
001100 77  WS-SPACES-SEEN               PIC 9(3) COMP.                  FRAUDCHK
001200 77  WS-DIGITS-SEEN               PIC 9(3) COMP.                  FRAUDCHK
001300 77  WS-INDEX                     PIC 9(2) COMP.                  FRAUDCHK
001400 77  WS-WORK-TEXT                 PIC X(28).                      FRAUDCHK
001500 77  WS-WORD-COUNT                PIC 99.                         FRAUDCHK
001600 01  WS-LIMITS.                                                   FRAUDCHK
001700     05  WS-LIMIT-REVIEW          PIC 9(3) VALUE 040.             FRAUDCHK
001800     05  WS-LIMIT-BLOCK           PIC 9(3) VALUE 080.             FRAUDCHK
001900     05  WS-LARGE-AMOUNT          PIC 9(9)V99 VALUE 10000.        FRAUDCHK
002000 01  WS-WORDS.                                                    FRAUDCHK
002100     05  WS-WORD                  PIC X(10) OCCURS 4 TIMES.       FRAUDCHK
002200 01  WS-BAD-WORDS.                                                FRAUDCHK
002300     05  FILLER                   PIC X(10) VALUE 'CRYPTO'.       FRAUDCHK
002400     05  FILLER                   PIC X(10) VALUE 'VOUCHER'.      FRAUDCHK
002500     05  FILLER                   PIC X(10) VALUE 'LOTTERY'.      FRAUDCHK
002600 01  WS-BAD-WORD-TABLE REDEFINES WS-BAD-WORDS.                    FRAUDCHK
002700     05  WS-BAD-WORD              PIC X(10) OCCURS 3 TIMES        FRAUDCHK
002800                                  INDEXED BY BAD-IX.              FRAUDCHK
002900 LINKAGE SECTION.                                                 FRAUDCHK
003000 COPY FRAUDPRM.                                                   FRAUDCHK
003100 PROCEDURE DIVISION USING FRAUD-PARM.                             FRAUDCHK
003200 0000-MAIN.                                                       FRAUDCHK
003300     MOVE ZERO TO FP-SCORE                                        FRAUDCHK
003400     SET FP-ACCEPT TO TRUE                                        FRAUDCHK
003500     PERFORM 1000-AMOUNT-RULE                                     FRAUDCHK
003600     PERFORM 2000-CHANNEL-RULE THRU 2000-EXIT                     FRAUDCHK
003700     PERFORM 3000-TEXT-RULE                                       FRAUDCHK
003800     PERFORM 4000-DECIDE                                          FRAUDCHK
003900     GOBACK.                                                      FRAUDCHK
004000                                                                  FRAUDCHK
004100 1000-AMOUNT-RULE.                                                FRAUDCHK
004200     IF FP-AMOUNT > WS-LARGE-AMOUNT                               FRAUDCHK
004300         IF FP-RISK-CLASS = 'H' OR 'X'                            FRAUDCHK
004400             ADD 60 TO FP-SCORE                                   FRAUDCHK
004500         ELSE                                                     FRAUDCHK
004600             IF FP-RISK-CLASS = 'M'                               FRAUDCHK
004700                 ADD 35 TO FP-SCORE                               FRAUDCHK
004800             ELSE                                                 FRAUDCHK
004900                 ADD 15 TO FP-SCORE                               FRAUDCHK
005000             END-IF                                               FRAUDCHK
005100         END-IF                                                   FRAUDCHK
005200     ELSE                                                         FRAUDCHK
005300         IF FP-AMOUNT IS NEGATIVE                                 FRAUDCHK
005400             ADD 5 TO FP-SCORE                                    FRAUDCHK
005500         END-IF                                                   FRAUDCHK
005600     END-IF.                                                      FRAUDCHK
005700                                                                  FRAUDCHK
005800 2000-CHANNEL-RULE.                                               FRAUDCHK
005900     IF FP-CHANNEL = 'BRN'                                        FRAUDCHK
006000         GO TO 2000-EXIT                                          FRAUDCHK
006100     END-IF                                                       FRAUDCHK
006200     EVALUATE FP-CHANNEL ALSO TRUE                                FRAUDCHK
006300         WHEN 'ATM' ALSO FP-HOUR < 6                              FRAUDCHK
006400             ADD 20 TO FP-SCORE                                   FRAUDCHK
006500         WHEN 'POS' ALSO ANY                                      FRAUDCHK
006600             ADD 2 TO FP-SCORE                                    FRAUDCHK
006700         WHEN 'WEB' ALSO FP-HOUR > 22                             FRAUDCHK
006800         WHEN 'APP' ALSO FP-HOUR > 22                             FRAUDCHK
006900             ADD 10 TO FP-SCORE                                   FRAUDCHK
007000         WHEN OTHER                                               FRAUDCHK
007100             ADD 1 TO FP-SCORE                                    FRAUDCHK
007200     END-EVALUATE.                                                FRAUDCHK
007300 2000-EXIT.                                                       FRAUDCHK
007400     EXIT.                                                        FRAUDCHK
007500                                                                  FRAUDCHK
007600 3000-TEXT-RULE.                                                  FRAUDCHK
007700     MOVE FP-TEXT TO WS-WORK-TEXT                                 FRAUDCHK
007800     MOVE ZERO TO WS-SPACES-SEEN WS-DIGITS-SEEN                   FRAUDCHK
007900     INSPECT WS-WORK-TEXT CONVERTING                              FRAUDCHK
008000         'abcdefghijklmnopqrstuvwxyz' TO                          FRAUDCHK
008100         'ABCDEFGHIJKLMNOPQRSTUVWXYZ'                             FRAUDCHK
008200     INSPECT WS-WORK-TEXT TALLYING WS-SPACES-SEEN FOR ALL SPACES  FRAUDCHK
008300     PERFORM VARYING WS-INDEX FROM 1 BY 1 UNTIL WS-INDEX > 28     FRAUDCHK
008400         IF WS-WORK-TEXT (WS-INDEX:1) IS NUMERIC                  FRAUDCHK
008500             ADD 1 TO WS-DIGITS-SEEN                              FRAUDCHK
008600         END-IF                                                   FRAUDCHK
008700     END-PERFORM                                                  FRAUDCHK
008800     IF WS-DIGITS-SEEN > 16                                       FRAUDCHK
008900         ADD 10 TO FP-SCORE                                       FRAUDCHK
009000     END-IF                                                       FRAUDCHK
009100     MOVE SPACES TO WS-WORDS                                      FRAUDCHK
009200     MOVE ZERO TO WS-WORD-COUNT                                   FRAUDCHK
009300     UNSTRING WS-WORK-TEXT DELIMITED BY ALL SPACE OR ','          FRAUDCHK
009400         INTO WS-WORD (1) WS-WORD (2) WS-WORD (3) WS-WORD (4)     FRAUDCHK
009500         TALLYING IN WS-WORD-COUNT                                FRAUDCHK
009600     END-UNSTRING                                                 FRAUDCHK
009700     PERFORM 3100-ONE-WORD                                        FRAUDCHK
009800         VARYING WS-INDEX FROM 1 BY 1                             FRAUDCHK
009900             UNTIL WS-INDEX > WS-WORD-COUNT OR WS-INDEX > 4       FRAUDCHK
010000         AFTER BAD-IX FROM 1 BY 1 UNTIL BAD-IX > 3.               FRAUDCHK
010100                                                                  FRAUDCHK
010200 3100-ONE-WORD.                                                   FRAUDCHK
010300     IF WS-WORD (WS-INDEX) = WS-BAD-WORD (BAD-IX)                 FRAUDCHK
010400         ADD 45 TO FP-SCORE                                       FRAUDCHK
010500             ON SIZE ERROR MOVE 999 TO FP-SCORE                   FRAUDCHK
010600         END-ADD                                                  FRAUDCHK
010700     END-IF.                                                      FRAUDCHK
010800                                                                  FRAUDCHK
010900 4000-DECIDE.                                                     FRAUDCHK
011000     IF FP-SCORE >= WS-LIMIT-BLOCK                                FRAUDCHK
011100         SET FP-BLOCK TO TRUE                                     FRAUDCHK
011200     ELSE IF FP-SCORE >= WS-LIMIT-REVIEW                          FRAUDCHK
011300         SET FP-REVIEW TO TRUE                                    FRAUDCHK
011400     ELSE                                                         FRAUDCHK
011500         NEXT SENTENCE.                                           FRAUDCHK
