000100 IDENTIFICATION DIVISION.                                         NIGHTDRV
000200 PROGRAM-ID.    NIGHTDRV.                                         NIGHTDRV
000300 AUTHOR.        BATCH SYSTEMS.                                    NIGHTDRV
000400*---------------------------------------------------------------- NIGHTDRV
000500* DRIVER OF THE NIGHT RUN.  THE STEPS AND THEIR ORDER STAND IN THENIGHTDRV
000600* TABLE BELOW, EACH STEP IS ONE PROGRAM THAT IS CALLED BY NAME.   NIGHTDRV
000700* A STEP THAT ENDS WITH MORE THAN ITS LIMIT STOPS THE RUN.        NIGHTDRV
000800*---------------------------------------------------------------- NIGHTDRV
000900 ENVIRONMENT DIVISION.                                            NIGHTDRV
001000 DATA DIVISION.                                                   NIGHTDRV
001100 WORKING-STORAGE SECTION.                                         NIGHTDRV
001200 01  WS-STEP-VALUES.                                              NIGHTDRV
001300     05  FILLER                   PIC X(11) VALUE 'SORTTRN 04N'.  NIGHTDRV
001400     05  FILLER                   PIC X(11) VALUE 'ACCTPOST04D'.  NIGHTDRV
001500     05  FILLER                   PIC X(11) VALUE 'RATEUPD 07N'.  NIGHTDRV
001600     05  FILLER                   PIC X(11) VALUE 'LOANAMRT04L'.  NIGHTDRV
001700     05  FILLER                   PIC X(11) VALUE SPACES.         NIGHTDRV
001800 01  WS-STEP-TABLE REDEFINES WS-STEP-VALUES.                      NIGHTDRV
001900     05  WS-STEP OCCURS 5 TIMES INDEXED BY STEP-IX.               NIGHTDRV
002000         10  WS-STEP-PROGRAM      PIC X(8).                       NIGHTDRV
002100         10  WS-STEP-LIMIT        PIC 99.                         NIGHTDRV
002200         10  WS-STEP-PARM         PIC X.                          NIGHTDRV
002300             88  STEP-NO-PARM     VALUE 'N'.                      NIGHTDRV
002400             88  STEP-DATE-PARM   VALUE 'D'.                      NIGHTDRV
002500             88  STEP-LOAN-PARM   VALUE 'L'.                      NIGHTDRV
002600 01  WS-PROGRAM                   PIC X(8).                       NIGHTDRV
002700 01  WS-BUSINESS-DATE             PIC 9(8).                       NIGHTDRV
002800 01  WS-STEP-CODE                 PIC S9(4) COMP.                 NIGHTDRV
002900 01  WS-STEPS-RUN                 PIC 99 COMP-3 VALUE ZERO.       NIGHTDRV
003000 01  WS-INTEREST-DAYS             PIC 9(3) COMP VALUE 1.          NIGHTDRV
003100 01  WS-INTEREST-RETURN           PIC 99.                         NIGHTDRV
003200 COPY ACCTREC REPLACING ==:TAG:== BY ==ND==.                      NIGHTDRV
003300 COPY DATEPARM.                                                   NIGHTDRV
003400 COPY ERRPARM REPLACING ERROR-PARM BY WS-ERROR-PARM.              NIGHTDRV
003500 PROCEDURE DIVISION.                                              NIGHTDRV
003600 0000-MAIN.                                                       NIGHTDRV
003700     ACCEPT WS-BUSINESS-DATE FROM DATE YYYYMMDD                   NIGHTDRV
003800     MOVE WS-BUSINESS-DATE TO DP-DATE                             NIGHTDRV
003900     SET DP-VALIDATE TO TRUE                                      NIGHTDRV
004000     CALL 'DATEUTIL' USING DATE-PARM                              NIGHTDRV
004100     IF DP-BAD-DATE                                               NIGHTDRV
004200         MOVE 'BAD BUSINESS DATE' TO EP-TEXT                      NIGHTDRV
004300         MOVE 12 TO EP-SEVERITY                                   NIGHTDRV
004400         PERFORM 9000-ERROR                                       NIGHTDRV
004500         STOP RUN                                                 NIGHTDRV
004600     END-IF                                                       NIGHTDRV
004700     PERFORM 1000-STEP THRU 1000-STEP-EXIT                        NIGHTDRV
004800         VARYING STEP-IX FROM 1 BY 1                              NIGHTDRV
004900         UNTIL STEP-IX > 5                                        NIGHTDRV
005000            OR WS-STEP-PROGRAM (STEP-IX) = SPACES                 NIGHTDRV
005100     PERFORM 2000-INTEREST                                        NIGHTDRV
005200     DISPLAY 'NIGHTDRV: STEPS RUN ' WS-STEPS-RUN                  NIGHTDRV
005300     STOP RUN.                                                    NIGHTDRV
005400                                                                  NIGHTDRV
005500 1000-STEP.                                                       NIGHTDRV
005600     MOVE WS-STEP-PROGRAM (STEP-IX) TO WS-PROGRAM                 NIGHTDRV
005700     MOVE ZERO TO RETURN-CODE                                     NIGHTDRV
005800     IF STEP-LOAN-PARM (STEP-IX)                                  NIGHTDRV
005900         IF DP-DD NOT = 1                                         NIGHTDRV
006000             GO TO 1000-STEP-EXIT                                 NIGHTDRV
006100         END-IF                                                   NIGHTDRV
006200     END-IF                                                       NIGHTDRV
006300     IF STEP-DATE-PARM (STEP-IX)                                  NIGHTDRV
006400         CALL WS-PROGRAM USING WS-BUSINESS-DATE                   NIGHTDRV
006500     ELSE                                                         NIGHTDRV
006600         CALL WS-PROGRAM                                          NIGHTDRV
006700     END-IF                                                       NIGHTDRV
006800     MOVE RETURN-CODE TO WS-STEP-CODE                             NIGHTDRV
006900     CANCEL WS-PROGRAM                                            NIGHTDRV
007000     ADD 1 TO WS-STEPS-RUN                                        NIGHTDRV
007100     IF WS-STEP-CODE > WS-STEP-LIMIT (STEP-IX)                    NIGHTDRV
007200         MOVE 'STEP ENDED ABOVE ITS LIMIT' TO EP-TEXT             NIGHTDRV
007300         MOVE 8 TO EP-SEVERITY                                    NIGHTDRV
007400         PERFORM 9000-ERROR                                       NIGHTDRV
007500         MOVE WS-STEP-CODE TO RETURN-CODE                         NIGHTDRV
007600         STOP RUN                                                 NIGHTDRV
007700     END-IF.                                                      NIGHTDRV
007800 1000-STEP-EXIT.                                                  NIGHTDRV
007900     EXIT.                                                        NIGHTDRV
008000                                                                  NIGHTDRV
008100 2000-INTEREST.                                                   NIGHTDRV
008200     INITIALIZE ND-ACCOUNT-RECORD                                 NIGHTDRV
008300     MOVE 'SA'     TO ND-ACCT-TYPE                                NIGHTDRV
008400     MOVE 'A'      TO ND-STATUS                                   NIGHTDRV
008500     MOVE 10000.00 TO ND-BALANCE                                  NIGHTDRV
008600     CALL 'INTCALC' USING ND-ACCOUNT-RECORD                       NIGHTDRV
008700         BY CONTENT   WS-INTEREST-DAYS                            NIGHTDRV
008800         BY REFERENCE WS-INTEREST-RETURN                          NIGHTDRV
008900     IF WS-INTEREST-RETURN > 4                                    NIGHTDRV
009000         DISPLAY 'NIGHTDRV: INTEREST SELF TEST FAILED'            NIGHTDRV
009100     END-IF.                                                      NIGHTDRV
009200                                                                  NIGHTDRV
009300 9000-ERROR.                                                      NIGHTDRV
009400     MOVE 'NIGHTDRV' TO EP-PROGRAM                                NIGHTDRV
009500     MOVE WS-PROGRAM TO EP-PARAGRAPH                              NIGHTDRV
009600     MOVE 'NIT000'   TO EP-CODE                                   NIGHTDRV
009700     CALL 'ERRHAND' USING WS-ERROR-PARM.                          NIGHTDRV
