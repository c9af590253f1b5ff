000100 IDENTIFICATION DIVISION.                                         SORTTRN
000200 PROGRAM-ID.    SORTTRN.                                          SORTTRN
000300 AUTHOR.        BATCH SYSTEMS.                                    SORTTRN
000400*---------------------------------------------------------------- SORTTRN
000500* SORTS THE TRANSACTIONS OF THE DAY BY ACCOUNT AND IDENTIFIER AND SORTTRN
000600* DROPS DUPLICATES ON THE WAY OUT.                                SORTTRN
000700*---------------------------------------------------------------- SORTTRN
000800 ENVIRONMENT DIVISION.                                            SORTTRN
000900 INPUT-OUTPUT SECTION.                                            SORTTRN
001000 FILE-CONTROL.                                                    SORTTRN
001100     SELECT RAW-FILE  ASSIGN TO 'TRANRAW'.                        SORTTRN
001200     SELECT OUT-FILE  ASSIGN TO 'TRANSORT'.                       SORTTRN
001300     SELECT SORT-FILE ASSIGN TO 'SORTWK'.                         SORTTRN
001400 DATA DIVISION.                                                   SORTTRN
001500 FILE SECTION.                                                    SORTTRN
001600 FD  RAW-FILE.                                                    SORTTRN
001700 01  RAW-RECORD                   PIC X(76).                      SORTTRN
001800 FD  OUT-FILE.                                                    SORTTRN
001900 01  OUT-RECORD                   PIC X(76).                      SORTTRN
002000 SD  SORT-FILE.                                                   SORTTRN
002100 01  SORT-RECORD.                                                 SORTTRN
002200     COPY TRANREC REPLACING LEADING ==TR-== BY ==SO-==.           SORTTRN
002300 WORKING-STORAGE SECTION.                                         SORTTRN
002400 01  WS-SWITCHES.                                                 SORTTRN
002500     05  WS-RAW-EOF               PIC X VALUE 'N'.                SORTTRN
002600         88  RAW-EOF              VALUE 'Y'.                      SORTTRN
002700     05  WS-SORT-EOF              PIC X VALUE 'N'.                SORTTRN
002800         88  SORT-EOF             VALUE 'Y'.                      SORTTRN
002900 01  WS-COUNTS.                                                   SORTTRN
003000     05  WS-IN-COUNT              PIC 9(7) VALUE ZERO.            SORTTRN
003100     05  WS-OUT-COUNT             PIC 9(7) VALUE ZERO.            SORTTRN
003200     05  WS-DROP-COUNT            PIC 9(7) VALUE ZERO.            SORTTRN
003300 01  WS-LAST-ID                   PIC 9(10) VALUE ZERO.           SORTTRN
003400 PROCEDURE DIVISION.                                              SORTTRN
003500 MAIN-CONTROL SECTION.                                            SORTTRN
003600 MAIN-START.                                                      SORTTRN
003700     SORT SORT-FILE                                               SORTTRN
003800         ON ASCENDING KEY SO-ACCOUNT                              SORTTRN
003900         ON ASCENDING KEY SO-ID                                   SORTTRN
004000         INPUT PROCEDURE IS SELECT-INPUT                          SORTTRN
004100         OUTPUT PROCEDURE IS WRITE-OUTPUT THRU WRITE-OUTPUT-END.  SORTTRN
004200     IF SORT-RETURN NOT = ZERO                                    SORTTRN
004300         DISPLAY 'SORTTRN: SORT FAILED'                           SORTTRN
004400         MOVE 16 TO RETURN-CODE                                   SORTTRN
004500     END-IF                                                       SORTTRN
004600     DISPLAY 'SORTTRN: IN ' WS-IN-COUNT ' OUT ' WS-OUT-COUNT      SORTTRN
004700         ' DROPPED ' WS-DROP-COUNT                                SORTTRN
004800     GOBACK.                                                      SORTTRN
004900                                                                  SORTTRN
005000 SELECT-INPUT SECTION.                                            SORTTRN
005100 SELECT-OPEN.                                                     SORTTRN
005200     OPEN INPUT RAW-FILE.                                         SORTTRN
005300 SELECT-NEXT.                                                     SORTTRN
005400     READ RAW-FILE INTO SORT-RECORD                               SORTTRN
005500         AT END                                                   SORTTRN
005600             SET RAW-EOF TO TRUE                                  SORTTRN
005700             CLOSE RAW-FILE                                       SORTTRN
005800             GO TO SELECT-DONE                                    SORTTRN
005900     END-READ                                                     SORTTRN
006000     ADD 1 TO WS-IN-COUNT                                         SORTTRN
006100     IF SO-AMOUNT = ZERO                                          SORTTRN
006200         ADD 1 TO WS-DROP-COUNT                                   SORTTRN
006300     ELSE                                                         SORTTRN
006400         RELEASE SORT-RECORD                                      SORTTRN
006500     END-IF                                                       SORTTRN
006600     GO TO SELECT-NEXT.                                           SORTTRN
006700 SELECT-DONE.                                                     SORTTRN
006800     EXIT.                                                        SORTTRN
006900                                                                  SORTTRN
007000 WRITE-OUTPUT SECTION.                                            SORTTRN
007100 WRITE-OPEN.                                                      SORTTRN
007200     OPEN OUTPUT OUT-FILE.                                        SORTTRN
007300 WRITE-LOOP.                                                      SORTTRN
007400     PERFORM UNTIL SORT-EOF                                       SORTTRN
007500         RETURN SORT-FILE RECORD                                  SORTTRN
007600             AT END                                               SORTTRN
007700                 SET SORT-EOF TO TRUE                             SORTTRN
007800             NOT AT END                                           SORTTRN
007900                 IF SO-ID = WS-LAST-ID                            SORTTRN
008000                     ADD 1 TO WS-DROP-COUNT                       SORTTRN
008100                 ELSE                                             SORTTRN
008200                     MOVE SO-ID TO WS-LAST-ID                     SORTTRN
008300                     WRITE OUT-RECORD FROM SORT-RECORD            SORTTRN
008400                     ADD 1 TO WS-OUT-COUNT                        SORTTRN
008500                 END-IF                                           SORTTRN
008600         END-RETURN                                               SORTTRN
008700     END-PERFORM                                                  SORTTRN
008800     CLOSE OUT-FILE.                                              SORTTRN
008900 WRITE-OUTPUT-END SECTION.                                        SORTTRN
009000 WRITE-END.                                                       SORTTRN
009100     EXIT.                                                        SORTTRN
