000100 IDENTIFICATION DIVISION.                                         ACCTINQ
000200 PROGRAM-ID.    ACCTINQ.                                          ACCTINQ
000300 AUTHOR.        ONLINE SYSTEMS.                                   ACCTINQ
000400*---------------------------------------------------------------- ACCTINQ
000500* TRANSACTION AINQ.  SHOWS BALANCE AND STATUS OF ONE ACCOUNT.     ACCTINQ
000600* PSEUDO-CONVERSATIONAL: THE STATE IS KEPT IN THE COMMAREA.       ACCTINQ
000700*---------------------------------------------------------------- ACCTINQ
000800 ENVIRONMENT DIVISION.                                            ACCTINQ
000900 DATA DIVISION.                                                   ACCTINQ
001000 WORKING-STORAGE SECTION.                                         ACCTINQ
001100 01  WS-AREA.                                                     ACCTINQ
001200     COPY INQCOMM.                                                ACCTINQ
001300 01  WS-RESPONSE                  PIC S9(8) COMP VALUE ZERO.      ACCTINQ
001400 01  WS-HOST-ACCOUNT.                                             ACCTINQ
001500     05  HA-BRANCH                PIC S9(4) COMP.                 ACCTINQ
001600     05  HA-ACCT-NO               PIC S9(9) COMP.                 ACCTINQ
001700     05  HA-BALANCE               PIC S9(11)V99 COMP-3.           ACCTINQ
001800     05  HA-STATUS                PIC X.                          ACCTINQ
001900         88  HA-ACTIVE            VALUE 'A'.                      ACCTINQ
002000     05  HA-CUSTOMER              PIC S9(9) COMP.                 ACCTINQ
002100 01  INQ-MAP-I.                                                   ACCTINQ
002200     05  INQ-BRANCH-I             PIC X(4).                       ACCTINQ
002300     05  INQ-ACCT-NO-I            PIC X(8).                       ACCTINQ
002400 01  INQ-MAP-O.                                                   ACCTINQ
002500     05  INQ-BALANCE-O            PIC ZZ,ZZZ,ZZZ,ZZ9.99-.         ACCTINQ
002600     05  INQ-STATUS-O             PIC X(10).                      ACCTINQ
002700     05  INQ-MESSAGE-O            PIC X(60).                      ACCTINQ
002800     EXEC SQL INCLUDE SQLCA END-EXEC.                             ACCTINQ
002900 COPY FRAUDPRM.                                                   ACCTINQ
003000 LINKAGE SECTION.                                                 ACCTINQ
003100 01  DFHCOMMAREA.                                                 ACCTINQ
003200     05  LK-BYTE                  PIC X                           ACCTINQ
003300             OCCURS 1 TO 4096 TIMES DEPENDING ON EIBCALEN.        ACCTINQ
003400 PROCEDURE DIVISION.                                              ACCTINQ
003500 0000-MAIN.                                                       ACCTINQ
003600     EXEC CICS HANDLE ABEND LABEL(9900-ABEND) END-EXEC            ACCTINQ
003700     MOVE LOW-VALUES TO WS-AREA                                   ACCTINQ
003800     IF EIBCALEN > 0                                              ACCTINQ
003900         MOVE DFHCOMMAREA TO WS-AREA                              ACCTINQ
004000     END-IF                                                       ACCTINQ
004100     EVALUATE TRUE                                                ACCTINQ
004200         WHEN IC-FIRST-TIME                                       ACCTINQ
004300             PERFORM 1000-ASK                                     ACCTINQ
004400         WHEN IC-ASKED                                            ACCTINQ
004500             PERFORM 2000-ANSWER THRU 2000-EXIT                   ACCTINQ
004600         WHEN IC-SHOWN                                            ACCTINQ
004700             EXEC CICS XCTL PROGRAM('ACCTMENU') END-EXEC          ACCTINQ
004800     END-EVALUATE                                                 ACCTINQ
004900     EXEC CICS RETURN TRANSID('AINQ') COMMAREA(WS-AREA) END-EXEC  ACCTINQ
005000     GOBACK.                                                      ACCTINQ
005100                                                                  ACCTINQ
005200 1000-ASK.                                                        ACCTINQ
005300     SET IC-ASKED TO TRUE                                         ACCTINQ
005400     EXEC CICS SEND MAP('INQ01') MAPSET('ACCTSET')                ACCTINQ
005500         MAPONLY ERASE                                            ACCTINQ
005600     END-EXEC.                                                    ACCTINQ
005700                                                                  ACCTINQ
005800 2000-ANSWER.                                                     ACCTINQ
005900     EXEC CICS RECEIVE MAP('INQ01') MAPSET('ACCTSET')             ACCTINQ
006000         INTO(INQ-MAP-I) RESP(WS-RESPONSE)                        ACCTINQ
006100     END-EXEC                                                     ACCTINQ
006200     IF INQ-BRANCH-I NOT NUMERIC OR INQ-ACCT-NO-I NOT NUMERIC     ACCTINQ
006300         MOVE 'ACCOUNT MUST BE TWELVE DIGITS' TO INQ-MESSAGE-O    ACCTINQ
006400         PERFORM 8000-SHOW                                        ACCTINQ
006500         GO TO 2000-EXIT                                          ACCTINQ
006600     END-IF                                                       ACCTINQ
006700     MOVE INQ-BRANCH-I  TO IC-BRANCH HA-BRANCH                    ACCTINQ
006800     MOVE INQ-ACCT-NO-I TO IC-ACCT-NO HA-ACCT-NO                  ACCTINQ
006900     EXEC SQL                                                     ACCTINQ
007000         SELECT BALANCE, STATUS, CUSTOMER_ID                      ACCTINQ
007100           INTO :HA-BALANCE, :HA-STATUS, :HA-CUSTOMER             ACCTINQ
007200           FROM ACCOUNT                                           ACCTINQ
007300          WHERE BRANCH = :HA-BRANCH                               ACCTINQ
007400            AND ACCT_NO = :HA-ACCT-NO                             ACCTINQ
007500     END-EXEC                                                     ACCTINQ
007600     IF SQLCODE = 100                                             ACCTINQ
007700         MOVE 'NO SUCH ACCOUNT' TO INQ-MESSAGE-O                  ACCTINQ
007800         PERFORM 8000-SHOW                                        ACCTINQ
007900         GO TO 2000-EXIT                                          ACCTINQ
008000     END-IF                                                       ACCTINQ
008100     MOVE HA-BALANCE TO INQ-BALANCE-O IC-BALANCE                  ACCTINQ
008200     IF HA-ACTIVE                                                 ACCTINQ
008300         MOVE 'ACTIVE' TO INQ-STATUS-O                            ACCTINQ
008400     ELSE                                                         ACCTINQ
008500         MOVE 'NOT ACTIVE' TO INQ-STATUS-O                        ACCTINQ
008600     END-IF                                                       ACCTINQ
008700     PERFORM 3000-RISK                                            ACCTINQ
008800     SET IC-SHOWN TO TRUE                                         ACCTINQ
008900     PERFORM 8000-SHOW.                                           ACCTINQ
009000 2000-EXIT.                                                       ACCTINQ
009100     EXIT.                                                        ACCTINQ
009200                                                                  ACCTINQ
009300 3000-RISK.                                                       ACCTINQ
009400     MOVE HA-CUSTOMER TO FP-CUST-ID                               ACCTINQ
009500     MOVE 'M'         TO FP-RISK-CLASS                            ACCTINQ
009600     MOVE ZERO        TO FP-AMOUNT                                ACCTINQ
009700     MOVE 'BRN'       TO FP-CHANNEL                               ACCTINQ
009800     MOVE SPACES      TO FP-TEXT                                  ACCTINQ
009900     EXEC CICS LINK PROGRAM('FRAUDCHK')                           ACCTINQ
010000         COMMAREA(FRAUD-PARM)                                     ACCTINQ
010100         LENGTH(LENGTH OF FRAUD-PARM)                             ACCTINQ
010200     END-EXEC                                                     ACCTINQ
010300     IF FP-SCORE > 40                                             ACCTINQ
010400         MOVE 'CUSTOMER IS UNDER REVIEW' TO INQ-MESSAGE-O         ACCTINQ
010500     ELSE                                                         ACCTINQ
010600         MOVE SPACES TO INQ-MESSAGE-O                             ACCTINQ
010700     END-IF.                                                      ACCTINQ
010800                                                                  ACCTINQ
010900 8000-SHOW.                                                       ACCTINQ
011000     EXEC CICS SEND MAP('INQ01') MAPSET('ACCTSET')                ACCTINQ
011100         FROM(INQ-MAP-O) DATAONLY CURSOR                          ACCTINQ
011200     END-EXEC.                                                    ACCTINQ
011300                                                                  ACCTINQ
011400 9900-ABEND.                                                      ACCTINQ
011500     MOVE 'INQUIRY FAILED, CALL THE SERVICE DESK' TO IC-MESSAGE   ACCTINQ
011600     EXEC CICS SEND TEXT FROM(IC-MESSAGE) ERASE END-EXEC          ACCTINQ
011700     EXEC CICS RETURN END-EXEC.                                   ACCTINQ
