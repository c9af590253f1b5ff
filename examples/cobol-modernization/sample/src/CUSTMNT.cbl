000100 IDENTIFICATION DIVISION.                                         CUSTMNT
000200 PROGRAM-ID.    CUSTMNT.                                          CUSTMNT
000300 AUTHOR.        ANDRÉ LEFÈVRE.                                    CUSTMNT
000400*---------------------------------------------------------------- CUSTMNT
000500* CUSTOMER MASTER MAINTENANCE.  APPLIES THE CHANGE FILE OF THE DAYCUSTMNT
000600* (A = ADD, C = CHANGE, D = DELETE) TO THE INDEXED MASTER.        CUSTMNT
000700* FILE IS KEPT IN LATIN-1 FOR THE BRANCH NAMES (ORLÉANS, MÂCON).  CUSTMNT
000800*---------------------------------------------------------------- CUSTMNT
000900 ENVIRONMENT DIVISION.                                            CUSTMNT
001000 INPUT-OUTPUT SECTION.                                            CUSTMNT
001100 FILE-CONTROL.                                                    CUSTMNT
001200     SELECT CHANGE-FILE ASSIGN TO 'CHANGES'                       CUSTMNT
001300         ORGANIZATION IS SEQUENTIAL                               CUSTMNT
001400         FILE STATUS IS WS-CHANGE-STATUS.                         CUSTMNT
001500     SELECT CUSTOMER-FILE ASSIGN TO 'CUSTMAST'                    CUSTMNT
001600         ORGANIZATION IS INDEXED                                  CUSTMNT
001700         ACCESS MODE IS DYNAMIC                                   CUSTMNT
001800         RECORD KEY IS CUST-ID                                    CUSTMNT
001900         FILE STATUS IS WS-CUST-STATUS.                           CUSTMNT
002000 DATA DIVISION.                                                   CUSTMNT
002100 FILE SECTION.                                                    CUSTMNT
002200 FD  CHANGE-FILE.                                                 CUSTMNT
002300 01  CHANGE-RECORD.                                               CUSTMNT
002400     05  CH-ACTION                PIC X.                          CUSTMNT
002500         88  CH-ADD               VALUE 'A'.                      CUSTMNT
002600         88  CH-CHANGE            VALUE 'C'.                      CUSTMNT
002700         88  CH-DELETE            VALUE 'D'.                      CUSTMNT
002800     05  CH-CUST-ID               PIC 9(7).                       CUSTMNT
002900     05  CH-SURNAME               PIC X(20).                      CUSTMNT
003000     05  CH-FORENAME              PIC X(15).                      CUSTMNT
003100     05  CH-COUNTRY               PIC X(2).                       CUSTMNT
003200     05  CH-BIRTH-DATE            PIC 9(8).                       CUSTMNT
003300 FD  CUSTOMER-FILE.                                               CUSTMNT
003400 COPY CUSTREC.                                                    CUSTMNT
003500 WORKING-STORAGE SECTION.                                         CUSTMNT
003600 01  WS-STATUS-FIELDS.                                            CUSTMNT
003700     05  WS-CHANGE-STATUS         PIC XX.                         CUSTMNT
003800         88  CHANGE-OK            VALUE '00'.                     CUSTMNT
003900         88  CHANGE-EOF           VALUE '10'.                     CUSTMNT
004000     05  WS-CUST-STATUS           PIC XX.                         CUSTMNT
004100         88  CUST-OK              VALUE '00' '02'.                CUSTMNT
004200         88  CUST-DUPLICATE       VALUE '22'.                     CUSTMNT
004300         88  CUST-MISSING         VALUE '23'.                     CUSTMNT
004400 01  WS-TOTALS.                                                   CUSTMNT
004500     05  WS-ADDED                 PIC 9(5) COMP-3 VALUE 0.        CUSTMNT
004600     05  WS-CHANGED               PIC 9(5) COMP-3 VALUE 0.        CUSTMNT
004700     05  WS-DELETED               PIC 9(5) COMP-3 VALUE 0.        CUSTMNT
004800     05  WS-REJECTED              PIC 9(5) COMP-3 VALUE 0.        CUSTMNT
004900 01  WS-DEFAULT-TOWN              PIC X(20) VALUE 'ORLÉANS'.      CUSTMNT
005000 01  WS-SHOW                      PIC ZZ,ZZ9.                     CUSTMNT
005100 COPY DATEPARM.                                                   CUSTMNT
005200 COPY ERRPARM.                                                    CUSTMNT
005300 PROCEDURE DIVISION.                                              CUSTMNT
005400 0000-MAIN.                                                       CUSTMNT
005500     PERFORM 1000-OPEN                                            CUSTMNT
005600     PERFORM 2000-APPLY UNTIL CHANGE-EOF                          CUSTMNT
005700     PERFORM 8000-TOTALS                                          CUSTMNT
005800     CLOSE CHANGE-FILE CUSTOMER-FILE                              CUSTMNT
005900     STOP RUN.                                                    CUSTMNT
006000                                                                  CUSTMNT
006100 1000-OPEN.                                                       CUSTMNT
006200     OPEN INPUT CHANGE-FILE                                       CUSTMNT
006300     OPEN I-O CUSTOMER-FILE                                       CUSTMNT
006400     IF NOT CUST-OK                                               CUSTMNT
006500         DISPLAY 'CUSTMNT: MASTER NOT OPEN, STATUS '              CUSTMNT
006600             WS-CUST-STATUS                                       CUSTMNT
006700         MOVE 16 TO RETURN-CODE                                   CUSTMNT
006800         STOP RUN                                                 CUSTMNT
006900     END-IF                                                       CUSTMNT
007000     PERFORM 2900-READ-CHANGE.                                    CUSTMNT
007100                                                                  CUSTMNT
007200 2000-APPLY.                                                      CUSTMNT
007300     MOVE CH-CUST-ID TO CUST-ID                                   CUSTMNT
007400     EVALUATE TRUE                                                CUSTMNT
007500         WHEN CH-ADD                                              CUSTMNT
007600             PERFORM 2100-ADD                                     CUSTMNT
007700         WHEN CH-CHANGE                                           CUSTMNT
007800             PERFORM 2200-CHANGE                                  CUSTMNT
007900         WHEN CH-DELETE                                           CUSTMNT
008000             PERFORM 2300-DELETE                                  CUSTMNT
008100         WHEN OTHER                                               CUSTMNT
008200             ADD 1 TO WS-REJECTED                                 CUSTMNT
008300     END-EVALUATE                                                 CUSTMNT
008400     PERFORM 2900-READ-CHANGE.                                    CUSTMNT
008500                                                                  CUSTMNT
008600 2100-ADD.                                                        CUSTMNT
008700     MOVE CH-BIRTH-DATE TO DP-DATE                                CUSTMNT
008800     SET DP-VALIDATE TO TRUE                                      CUSTMNT
008900     CALL 'DATEUTIL' USING DATE-PARM                              CUSTMNT
009000     IF DP-OK                                                     CUSTMNT
009100         INITIALIZE CUSTOMER-RECORD                               CUSTMNT
009200         MOVE CH-CUST-ID    TO CUST-ID                            CUSTMNT
009300         MOVE CH-SURNAME    TO CUST-SURNAME                       CUSTMNT
009400         MOVE CH-FORENAME   TO CUST-FORENAME OF CUST-NAME         CUSTMNT
009500         MOVE CH-COUNTRY    TO CUST-COUNTRY                       CUSTMNT
009600         MOVE CH-BIRTH-DATE TO CUST-BIRTH-DATE                    CUSTMNT
009700         MOVE WS-DEFAULT-TOWN TO CUST-TOWN                        CUSTMNT
009800         SET CUST-RISK-MEDIUM TO TRUE                             CUSTMNT
009900         IF CUST-DOMESTIC                                         CUSTMNT
010000             SET CUST-RISK-LOW TO TRUE                            CUSTMNT
010100         END-IF                                                   CUSTMNT
010200         WRITE CUSTOMER-RECORD                                    CUSTMNT
010300             INVALID KEY                                          CUSTMNT
010400                 PERFORM 9000-REJECT                              CUSTMNT
010500             NOT INVALID KEY                                      CUSTMNT
010600                 ADD 1 TO WS-ADDED                                CUSTMNT
010700         END-WRITE                                                CUSTMNT
010800     ELSE                                                         CUSTMNT
010900         PERFORM 9000-REJECT                                      CUSTMNT
011000     END-IF.                                                      CUSTMNT
011100                                                                  CUSTMNT
011200 2200-CHANGE.                                                     CUSTMNT
011300     READ CUSTOMER-FILE                                           CUSTMNT
011400         INVALID KEY PERFORM 9000-REJECT                          CUSTMNT
011500     END-READ                                                     CUSTMNT
011600     IF CUST-OK                                                   CUSTMNT
011700         IF CH-SURNAME NOT = SPACES                               CUSTMNT
011800             MOVE CH-SURNAME TO CUST-SURNAME                      CUSTMNT
011900         END-IF                                                   CUSTMNT
012000         IF CH-FORENAME NOT = SPACES                              CUSTMNT
012100             MOVE CH-FORENAME TO CUST-FORENAME                    CUSTMNT
012200         END-IF                                                   CUSTMNT
012300         REWRITE CUSTOMER-RECORD                                  CUSTMNT
012400         ADD 1 TO WS-CHANGED                                      CUSTMNT
012500     END-IF.                                                      CUSTMNT
012600                                                                  CUSTMNT
012700 2300-DELETE.                                                     CUSTMNT
012800     DELETE CUSTOMER-FILE RECORD                                  CUSTMNT
012900         INVALID KEY PERFORM 9000-REJECT                          CUSTMNT
013000         NOT INVALID KEY ADD 1 TO WS-DELETED                      CUSTMNT
013100     END-DELETE.                                                  CUSTMNT
013200                                                                  CUSTMNT
013300 2900-READ-CHANGE.                                                CUSTMNT
013400     READ CHANGE-FILE                                             CUSTMNT
013500         AT END SET CHANGE-EOF TO TRUE                            CUSTMNT
013600     END-READ.                                                    CUSTMNT
013700                                                                  CUSTMNT
013800 8000-TOTALS.                                                     CUSTMNT
013900     MOVE WS-ADDED TO WS-SHOW                                     CUSTMNT
014000     DISPLAY 'ADDED    ' WS-SHOW                                  CUSTMNT
014100     MOVE WS-CHANGED TO WS-SHOW                                   CUSTMNT
014200     DISPLAY 'CHANGED  ' WS-SHOW                                  CUSTMNT
014300     MOVE WS-DELETED TO WS-SHOW                                   CUSTMNT
014400     DISPLAY 'DELETED  ' WS-SHOW                                  CUSTMNT
014500     MOVE WS-REJECTED TO WS-SHOW                                  CUSTMNT
014600     DISPLAY 'REJECTED ' WS-SHOW.                                 CUSTMNT
014700                                                                  CUSTMNT
014800 9000-REJECT.                                                     CUSTMNT
014900     ADD 1 TO WS-REJECTED                                         CUSTMNT
015000     MOVE 'CUSTMNT'     TO EP-PROGRAM                             CUSTMNT
015100     MOVE '9000-REJECT' TO EP-PARAGRAPH                           CUSTMNT
015200     MOVE 4             TO EP-SEVERITY                            CUSTMNT
015300     MOVE 'CUS004'      TO EP-CODE                                CUSTMNT
015400     STRING 'CHANGE REJECTED FOR CUSTOMER ' CH-CUST-ID            CUSTMNT
015500         DELIMITED BY SIZE INTO EP-TEXT                           CUSTMNT
015600     CALL 'ERRHAND' USING ERROR-PARM.                             CUSTMNT
