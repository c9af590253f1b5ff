000100 IDENTIFICATION DIVISION.                                         DATEUTIL
000200 PROGRAM-ID.    DATEUTIL.                                         DATEUTIL
000300 AUTHOR.        BATCH SYSTEMS.                                    DATEUTIL
000400 DATE-WRITTEN.  1991-03-04.                                       DATEUTIL
000500*---------------------------------------------------------------- DATEUTIL
000600* DATE SERVICE.  VALIDATES A DATE, ADDS DAYS TO A DATE, AND GIVES DATEUTIL
000700* THE RUNNING DAY NUMBER THAT INTEREST IS COUNTED WITH.           DATEUTIL
000800*---------------------------------------------------------------- DATEUTIL
000900 ENVIRONMENT DIVISION.                                            DATEUTIL
001000 DATA DIVISION.                                                   DATEUTIL
001100 WORKING-STORAGE SECTION.                                         DATEUTIL
001200 77  WS-DAYS-LEFT                 PIC S9(5) COMP-3.               DATEUTIL
001300 77  WS-QUOTIENT                  PIC 9(4)  COMP.                 DATEUTIL
001400 77  WS-REMAINDER-4               PIC 9(4)  COMP.                 DATEUTIL
001500 77  WS-REMAINDER-100             PIC 9(4)  COMP.                 DATEUTIL
001600 77  WS-REMAINDER-400             PIC 9(4)  COMP.                 DATEUTIL
001700 01  WS-LEAP-SWITCH               PIC X VALUE 'N'.                DATEUTIL
001800     88  WS-LEAP-YEAR             VALUE 'Y'.                      DATEUTIL
001900     88  WS-COMMON-YEAR           VALUE 'N'.                      DATEUTIL
002000 01  WS-MONTH-LENGTHS             PIC X(24)                       DATEUTIL
002100                       VALUE '312831303130313130313031'.          DATEUTIL
002200 01  WS-MONTH-TABLE REDEFINES WS-MONTH-LENGTHS.                   DATEUTIL
002300     05  WS-MONTH-DAYS            PIC 99 OCCURS 12 TIMES.         DATEUTIL
002400 01  WS-YEAR                      PIC 9(4).                       DATEUTIL
002500 01  WS-MONTH                     PIC 99.                         DATEUTIL
002600 LINKAGE SECTION.                                                 DATEUTIL
002700 COPY DATEPARM.                                                   DATEUTIL
002800 PROCEDURE DIVISION USING DATE-PARM.                              DATEUTIL
002900 0000-MAIN.                                                       DATEUTIL
003000     SET DP-OK TO TRUE                                            DATEUTIL
003100     PERFORM 1000-VALIDATE THRU 1000-EXIT                         DATEUTIL
003200     IF NOT DP-OK                                                 DATEUTIL
003300         GO TO 0000-RETURN                                        DATEUTIL
003400     END-IF                                                       DATEUTIL
003500     EVALUATE TRUE                                                DATEUTIL
003600         WHEN DP-VALIDATE                                         DATEUTIL
003700             CONTINUE                                             DATEUTIL
003800         WHEN DP-ADD-DAYS                                         DATEUTIL
003900             PERFORM 2000-ADD-DAYS                                DATEUTIL
004000         WHEN DP-DAY-NUMBER                                       DATEUTIL
004100             PERFORM 3000-DAY-NUMBER                              DATEUTIL
004200         WHEN OTHER                                               DATEUTIL
004300             SET DP-BAD-FUNCTION TO TRUE                          DATEUTIL
004400     END-EVALUATE.                                                DATEUTIL
004500 0000-RETURN.                                                     DATEUTIL
004600     GOBACK.                                                      DATEUTIL
004700                                                                  DATEUTIL
004800 1000-VALIDATE.                                                   DATEUTIL
004900     IF DP-DATE NOT NUMERIC                                       DATEUTIL
005000         SET DP-BAD-DATE TO TRUE                                  DATEUTIL
005100         GO TO 1000-EXIT.                                         DATEUTIL
005200     IF DP-MM < 1 OR > 12                                         DATEUTIL
005300         SET DP-BAD-DATE TO TRUE                                  DATEUTIL
005400         GO TO 1000-EXIT.                                         DATEUTIL
005500     MOVE DP-CCYY TO WS-YEAR.                                     DATEUTIL
005600     PERFORM 1100-LEAP-YEAR.                                      DATEUTIL
005700     IF DP-DD < 1 OR DP-DD > WS-MONTH-DAYS (DP-MM)                DATEUTIL
005800         SET DP-BAD-DATE TO TRUE.                                 DATEUTIL
005900 1000-EXIT.                                                       DATEUTIL
006000     EXIT.                                                        DATEUTIL
006100                                                                  DATEUTIL
006200 1100-LEAP-YEAR.                                                  DATEUTIL
006300     DIVIDE WS-YEAR BY 4 GIVING WS-QUOTIENT                       DATEUTIL
006400         REMAINDER WS-REMAINDER-4                                 DATEUTIL
006500     DIVIDE WS-YEAR BY 100 GIVING WS-QUOTIENT                     DATEUTIL
006600         REMAINDER WS-REMAINDER-100                               DATEUTIL
006700     DIVIDE WS-YEAR BY 400 GIVING WS-QUOTIENT                     DATEUTIL
006800         REMAINDER WS-REMAINDER-400                               DATEUTIL
006900     IF (WS-REMAINDER-4 = ZERO AND WS-REMAINDER-100 NOT = ZERO)   DATEUTIL
007000        OR WS-REMAINDER-400 = ZERO                                DATEUTIL
007100         SET WS-LEAP-YEAR TO TRUE                                 DATEUTIL
007200         MOVE 29 TO WS-MONTH-DAYS (2)                             DATEUTIL
007300     ELSE                                                         DATEUTIL
007400         SET WS-COMMON-YEAR TO TRUE                               DATEUTIL
007500         MOVE 28 TO WS-MONTH-DAYS (2)                             DATEUTIL
007600     END-IF.                                                      DATEUTIL
007700                                                                  DATEUTIL
007800 2000-ADD-DAYS.                                                   DATEUTIL
007900     MOVE DP-DAYS TO WS-DAYS-LEFT                                 DATEUTIL
008000     PERFORM 2100-ONE-DAY-ON UNTIL WS-DAYS-LEFT <= 0.             DATEUTIL
008100                                                                  DATEUTIL
008200 2100-ONE-DAY-ON.                                                 DATEUTIL
008300     ADD 1 TO DP-DD                                               DATEUTIL
008400     SUBTRACT 1 FROM WS-DAYS-LEFT                                 DATEUTIL
008500     IF DP-DD > WS-MONTH-DAYS (DP-MM)                             DATEUTIL
008600         MOVE 1 TO DP-DD                                          DATEUTIL
008700         ADD 1 TO DP-MM                                           DATEUTIL
008800         IF DP-MM > 12                                            DATEUTIL
008900             MOVE 1 TO DP-MM                                      DATEUTIL
009000             ADD 1 TO DP-CCYY                                     DATEUTIL
009100             MOVE DP-CCYY TO WS-YEAR                              DATEUTIL
009200             PERFORM 1100-LEAP-YEAR                               DATEUTIL
009300         END-IF                                                   DATEUTIL
009400     END-IF.                                                      DATEUTIL
009500                                                                  DATEUTIL
009600 3000-DAY-NUMBER.                                                 DATEUTIL
009700     COMPUTE DP-DAY-NO = (DP-CCYY - 1) * 365                      DATEUTIL
009800     SUBTRACT 1 FROM WS-YEAR                                      DATEUTIL
009900     DIVIDE WS-YEAR BY 4 GIVING WS-QUOTIENT                       DATEUTIL
010000     ADD WS-QUOTIENT TO DP-DAY-NO                                 DATEUTIL
010100     DIVIDE WS-YEAR BY 100 GIVING WS-QUOTIENT                     DATEUTIL
010200     SUBTRACT WS-QUOTIENT FROM DP-DAY-NO                          DATEUTIL
010300     DIVIDE WS-YEAR BY 400 GIVING WS-QUOTIENT                     DATEUTIL
010400     ADD WS-QUOTIENT TO DP-DAY-NO                                 DATEUTIL
010500     PERFORM VARYING WS-MONTH FROM 1 BY 1                         DATEUTIL
010600             UNTIL WS-MONTH >= DP-MM                              DATEUTIL
010700         ADD WS-MONTH-DAYS (WS-MONTH) TO DP-DAY-NO                DATEUTIL
010800     END-PERFORM                                                  DATEUTIL
010900     ADD DP-DD TO DP-DAY-NO.                                      DATEUTIL
