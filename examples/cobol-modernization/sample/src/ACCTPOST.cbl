000100 IDENTIFICATION DIVISION.                                         ACCTPOST
000200 PROGRAM-ID.    ACCTPOST.                                         ACCTPOST
000300 AUTHOR.        BATCH SYSTEMS.                                    ACCTPOST
000400*---------------------------------------------------------------- ACCTPOST
000500* DAILY POSTING.  READS THE SORTED TRANSACTIONS, CHECKS THEM FOR  ACCTPOST
000600* FRAUD, CONVERTS FOREIGN AMOUNTS AND POSTS TO THE ACCOUNT MASTER.ACCTPOST
000700* WHAT CANNOT BE POSTED GOES TO THE SUSPENSE FILE.                ACCTPOST
000800*---------------------------------------------------------------- ACCTPOST
000900 ENVIRONMENT DIVISION.                                            ACCTPOST
001000 INPUT-OUTPUT SECTION.                                            ACCTPOST
001100 FILE-CONTROL.                                                    ACCTPOST
001200     SELECT TRAN-FILE ASSIGN TO 'TRANSORT'                        ACCTPOST
001300         ORGANIZATION IS SEQUENTIAL                               ACCTPOST
001400         FILE STATUS IS WS-TRAN-STATUS.                           ACCTPOST
001500     SELECT ACCOUNT-FILE ASSIGN TO 'ACCTMAST'                     ACCTPOST
001600         ORGANIZATION IS INDEXED                                  ACCTPOST
001700         ACCESS MODE IS RANDOM                                    ACCTPOST
001800         RECORD KEY IS AM-ACCT-KEY                                ACCTPOST
001900         FILE STATUS IS WS-ACCT-STATUS.                           ACCTPOST
002000     SELECT SUSPENSE-FILE ASSIGN TO 'SUSPENSE'                    ACCTPOST
002100         ORGANIZATION IS SEQUENTIAL.                              ACCTPOST
002200 DATA DIVISION.                                                   ACCTPOST
002300 FILE SECTION.                                                    ACCTPOST
002400 FD  TRAN-FILE                                                    ACCTPOST
002500     RECORD CONTAINS 76 CHARACTERS.                               ACCTPOST
002600 01  TRAN-RECORD.                                                 ACCTPOST
002700     COPY TRANREC.                                                ACCTPOST
002800 FD  ACCOUNT-FILE.                                                ACCTPOST
002900 COPY ACCTREC REPLACING ==:TAG:== BY ==AM==.                      ACCTPOST
003000 FD  SUSPENSE-FILE.                                               ACCTPOST
003100 01  SUSPENSE-RECORD.                                             ACCTPOST
003200     05  SU-REASON                PIC X(4).                       ACCTPOST
003300     05  SU-TRANSACTION           PIC X(76).                      ACCTPOST
003400 WORKING-STORAGE SECTION.                                         ACCTPOST
003500 77  WS-TRAN-STATUS               PIC XX.                         ACCTPOST
003600 77  WS-ACCT-STATUS               PIC XX.                         ACCTPOST
003700 77  WS-EOF-SWITCH                PIC X VALUE 'N'.                ACCTPOST
003800     88  END-OF-TRANS             VALUE 'Y'.                      ACCTPOST
003900 77  WS-REASON                    PIC X(4) VALUE SPACES.          ACCTPOST
004000     88  NO-REASON                VALUE SPACES.                   ACCTPOST
004100 77  WS-AMOUNT                    PIC S9(11)V99 COMP-3.           ACCTPOST
004200 77  WS-AVAILABLE                 PIC S9(11)V99 COMP-3.           ACCTPOST
004300 01  WS-CONTROL-TOTALS.                                           ACCTPOST
004400     05  WS-READ                  PIC 9(7) COMP-3 VALUE ZERO.     ACCTPOST
004500     05  WS-POSTED                PIC 9(7) COMP-3 VALUE ZERO.     ACCTPOST
004600     05  WS-SUSPENDED             PIC 9(7) COMP-3 VALUE ZERO.     ACCTPOST
004700     05  WS-DEBIT-SUM             PIC S9(13)V99 COMP-3 VALUE ZERO.ACCTPOST
004800     05  WS-CREDIT-SUM            PIC S9(13)V99 COMP-3 VALUE ZERO.ACCTPOST
004900 01  WS-EDITED-SUM                PIC Z,ZZZ,ZZZ,ZZZ,ZZ9.99-.      ACCTPOST
005000 01  WS-HELD-TRANSACTION.                                         ACCTPOST
005100     COPY TRANREC REPLACING LEADING ==TR-== BY ==HT-==.           ACCTPOST
005200 COPY CONVPARM.                                                   ACCTPOST
005300 COPY FRAUDPRM.                                                   ACCTPOST
005400 COPY ERRPARM.                                                    ACCTPOST
005500 LINKAGE SECTION.                                                 ACCTPOST
005600 01  LK-BUSINESS-DATE             PIC 9(8).                       ACCTPOST
005700 PROCEDURE DIVISION USING LK-BUSINESS-DATE.                       ACCTPOST
005800 0000-CONTROL SECTION.                                            ACCTPOST
005900 0010-START.                                                      ACCTPOST
006000     OPEN INPUT TRAN-FILE                                         ACCTPOST
006100          I-O   ACCOUNT-FILE                                      ACCTPOST
006200          OUTPUT SUSPENSE-FILE.                                   ACCTPOST
006300     IF WS-ACCT-STATUS NOT = '00'                                 ACCTPOST
006400         MOVE 'ACC016' TO EP-CODE                                 ACCTPOST
006500         MOVE 16 TO EP-SEVERITY                                   ACCTPOST
006600         MOVE 'ACCOUNT MASTER CANNOT BE OPENED' TO EP-TEXT        ACCTPOST
006700         PERFORM 9000-ERROR                                       ACCTPOST
006800         GO TO 0090-STOP.                                         ACCTPOST
006900     PERFORM 1000-READ-TRAN.                                      ACCTPOST
007000 0020-LOOP.                                                       ACCTPOST
007100     IF END-OF-TRANS                                              ACCTPOST
007200         GO TO 0080-TOTALS.                                       ACCTPOST
007300     PERFORM 2000-POST THRU 2000-POST-EXIT.                       ACCTPOST
007400     PERFORM 1000-READ-TRAN.                                      ACCTPOST
007500     GO TO 0020-LOOP.                                             ACCTPOST
007600 0080-TOTALS.                                                     ACCTPOST
007700     DISPLAY 'READ ' WS-READ ' POSTED ' WS-POSTED                 ACCTPOST
007800             ' SUSPENDED ' WS-SUSPENDED                           ACCTPOST
007900     MOVE WS-DEBIT-SUM TO WS-EDITED-SUM                           ACCTPOST
008000     DISPLAY 'DEBITS  ' WS-EDITED-SUM                             ACCTPOST
008100     MOVE WS-CREDIT-SUM TO WS-EDITED-SUM                          ACCTPOST
008200     DISPLAY 'CREDITS ' WS-EDITED-SUM.                            ACCTPOST
008300     CLOSE TRAN-FILE ACCOUNT-FILE SUSPENSE-FILE.                  ACCTPOST
008400 0090-STOP.                                                       ACCTPOST
008500     GOBACK.                                                      ACCTPOST
008600                                                                  ACCTPOST
008700 1000-READ SECTION.                                               ACCTPOST
008800 1000-READ-TRAN.                                                  ACCTPOST
008900     READ TRAN-FILE INTO WS-HELD-TRANSACTION                      ACCTPOST
009000         AT END                                                   ACCTPOST
009100             SET END-OF-TRANS TO TRUE                             ACCTPOST
009200         NOT AT END                                               ACCTPOST
009300             ADD 1 TO WS-READ                                     ACCTPOST
009400     END-READ.                                                    ACCTPOST
009500                                                                  ACCTPOST
009600 2000-POSTING SECTION.                                            ACCTPOST
009700 2000-POST.                                                       ACCTPOST
009800     SET NO-REASON TO TRUE                                        ACCTPOST
009900     MOVE HT-ACCOUNT TO AM-ACCT-KEY                               ACCTPOST
010000     READ ACCOUNT-FILE                                            ACCTPOST
010100         INVALID KEY MOVE 'NACC' TO WS-REASON                     ACCTPOST
010200     END-READ                                                     ACCTPOST
010300     IF NOT NO-REASON                                             ACCTPOST
010400         PERFORM 3000-SUSPEND                                     ACCTPOST
010500         GO TO 2000-POST-EXIT                                     ACCTPOST
010600     END-IF                                                       ACCTPOST
010700     IF AM-FROZEN OR AM-CLOSED                                    ACCTPOST
010800         MOVE 'STAT' TO WS-REASON                                 ACCTPOST
010900         PERFORM 3000-SUSPEND                                     ACCTPOST
011000         GO TO 2000-POST-EXIT                                     ACCTPOST
011100     END-IF.                                                      ACCTPOST
011200 2010-FRAUD.                                                      ACCTPOST
011300     MOVE AM-CUST-ID TO FP-CUST-ID                                ACCTPOST
011400     MOVE 'M'        TO FP-RISK-CLASS                             ACCTPOST
011500     MOVE HT-AMOUNT  TO FP-AMOUNT                                 ACCTPOST
011600     MOVE HT-CHANNEL TO FP-CHANNEL                                ACCTPOST
011700     MOVE 12         TO FP-HOUR                                   ACCTPOST
011800     MOVE HT-TEXT    TO FP-TEXT                                   ACCTPOST
011900     CALL 'FRAUDCHK' USING FRAUD-PARM                             ACCTPOST
012000     IF FP-BLOCK                                                  ACCTPOST
012100         MOVE 'FRAU' TO WS-REASON                                 ACCTPOST
012200         PERFORM 3000-SUSPEND                                     ACCTPOST
012300         GO TO 2000-POST-EXIT                                     ACCTPOST
012400     END-IF.                                                      ACCTPOST
012500 2020-AMOUNT.                                                     ACCTPOST
012600     MOVE HT-AMOUNT TO WS-AMOUNT                                  ACCTPOST
012700     IF HT-CURRENCY NOT = AM-CURRENCY                             ACCTPOST
012800         MOVE HT-CURRENCY TO CP-FROM-CODE                         ACCTPOST
012900         MOVE AM-CURRENCY TO CP-TO-CODE                           ACCTPOST
013000         MOVE HT-AMOUNT   TO CP-FROM-AMOUNT                       ACCTPOST
013100         CALL 'CURRCONV' USING CONVERT-PARM                       ACCTPOST
013200             ON EXCEPTION                                         ACCTPOST
013300                 MOVE 'CONV' TO WS-REASON                         ACCTPOST
013400         END-CALL                                                 ACCTPOST
013500         IF NOT CP-OK OR NOT NO-REASON                            ACCTPOST
013600             MOVE 'CONV' TO WS-REASON                             ACCTPOST
013700             PERFORM 3000-SUSPEND                                 ACCTPOST
013800             GO TO 2000-POST-EXIT                                 ACCTPOST
013900         END-IF                                                   ACCTPOST
014000         MOVE CP-TO-AMOUNT TO WS-AMOUNT                           ACCTPOST
014100     END-IF.                                                      ACCTPOST
014200 2030-UPDATE.                                                     ACCTPOST
014300     EVALUATE TRUE                                                ACCTPOST
014400         WHEN HT-DEBIT                                            ACCTPOST
014500         WHEN HT-FEE                                              ACCTPOST
014600             ADD AM-BALANCE AM-OVERDRAFT GIVING WS-AVAILABLE      ACCTPOST
014700             IF WS-AMOUNT > WS-AVAILABLE AND NOT HT-FEE           ACCTPOST
014800                 MOVE 'FUND' TO WS-REASON                         ACCTPOST
014900                 PERFORM 3000-SUSPEND                             ACCTPOST
015000                 GO TO 2000-POST-EXIT                             ACCTPOST
015100             END-IF                                               ACCTPOST
015200             SUBTRACT WS-AMOUNT FROM AM-BALANCE                   ACCTPOST
015300             ADD WS-AMOUNT TO WS-DEBIT-SUM                        ACCTPOST
015400         WHEN HT-CREDIT                                           ACCTPOST
015500             ADD WS-AMOUNT TO AM-BALANCE WS-CREDIT-SUM            ACCTPOST
015600         WHEN OTHER                                               ACCTPOST
015700             MOVE 'TYPE' TO WS-REASON                             ACCTPOST
015800             PERFORM 3000-SUSPEND                                 ACCTPOST
015900             GO TO 2000-POST-EXIT                                 ACCTPOST
016000     END-EVALUATE                                                 ACCTPOST
016100     MOVE LK-BUSINESS-DATE TO AM-LAST-POSTED                      ACCTPOST
016200     REWRITE AM-ACCOUNT-RECORD                                    ACCTPOST
016300     ADD 1 TO WS-POSTED.                                          ACCTPOST
016400 2000-POST-EXIT.                                                  ACCTPOST
016500     EXIT.                                                        ACCTPOST
016600                                                                  ACCTPOST
016700 3000-SUSPENSE SECTION.                                           ACCTPOST
016800 3000-SUSPEND.                                                    ACCTPOST
016900     MOVE WS-REASON TO SU-REASON                                  ACCTPOST
017000     MOVE WS-HELD-TRANSACTION TO SU-TRANSACTION                   ACCTPOST
017100     WRITE SUSPENSE-RECORD                                        ACCTPOST
017200     ADD 1 TO WS-SUSPENDED.                                       ACCTPOST
017300                                                                  ACCTPOST
017400 9000-ERRORS SECTION.                                             ACCTPOST
017500 9000-ERROR.                                                      ACCTPOST
017600     MOVE 'ACCTPOST' TO EP-PROGRAM                                ACCTPOST
017700     MOVE '0000-CONTROL' TO EP-PARAGRAPH                          ACCTPOST
017800     CALL 'ERRHAND' USING ERROR-PARM.                             ACCTPOST
