000100 IDENTIFICATION DIVISION.                                         ACCTMENU
000200 PROGRAM-ID.    ACCTMENU.                                         ACCTMENU
000300 AUTHOR.        ONLINE SYSTEMS.                                   ACCTMENU
000400*---------------------------------------------------------------- ACCTMENU
000500* TRANSACTION AMNU.  FIRST SCREEN OF THE BRANCH DIALOGUE.         ACCTMENU
000600*---------------------------------------------------------------- ACCTMENU
000700 ENVIRONMENT DIVISION.                                            ACCTMENU
000800 DATA DIVISION.                                                   ACCTMENU
000900 WORKING-STORAGE SECTION.                                         ACCTMENU
001000 01  WS-AREA.                                                     ACCTMENU
001100     COPY INQCOMM.                                                ACCTMENU
001200 01  WS-RESPONSE                  PIC S9(8) COMP.                 ACCTMENU
001300 01  WS-NEXT-PROGRAM              PIC X(8) VALUE SPACES.          ACCTMENU
001400 01  MENU-MAP-I.                                                  ACCTMENU
001500     05  MENU-CHOICE-L            PIC S9(4) COMP.                 ACCTMENU
001600     05  MENU-CHOICE-I            PIC X.                          ACCTMENU
001700     05  MENU-OPERATOR-I          PIC X(8).                       ACCTMENU
001800 01  MENU-MAP-O REDEFINES MENU-MAP-I.                             ACCTMENU
001900     05  FILLER                   PIC X(2).                       ACCTMENU
002000     05  MENU-CHOICE-O            PIC X.                          ACCTMENU
002100     05  MENU-OPERATOR-O          PIC X(8).                       ACCTMENU
002200 01  WS-KEYS.                                                     ACCTMENU
002300     05  WS-KEY-ENTER             PIC X VALUE QUOTE.              ACCTMENU
002400     05  WS-KEY-PF3               PIC X VALUE '3'.                ACCTMENU
002500     05  WS-KEY-CLEAR             PIC X VALUE '_'.                ACCTMENU
002600 LINKAGE SECTION.                                                 ACCTMENU
002700 01  DFHCOMMAREA                  PIC X(88).                      ACCTMENU
002800 PROCEDURE DIVISION.                                              ACCTMENU
002900 0000-MAIN.                                                       ACCTMENU
003000     IF EIBCALEN = 0                                              ACCTMENU
003100         MOVE LOW-VALUES TO MENU-MAP-I                            ACCTMENU
003200         PERFORM 1000-SEND                                        ACCTMENU
003300         PERFORM 9000-RETURN                                      ACCTMENU
003400     END-IF                                                       ACCTMENU
003500     MOVE DFHCOMMAREA TO WS-AREA                                  ACCTMENU
003600     EVALUATE EIBAID                                              ACCTMENU
003700         WHEN WS-KEY-ENTER                                        ACCTMENU
003800             PERFORM 2000-RECEIVE                                 ACCTMENU
003900         WHEN WS-KEY-PF3                                          ACCTMENU
004000         WHEN WS-KEY-CLEAR                                        ACCTMENU
004100             EXEC CICS SEND TEXT                                  ACCTMENU
004200                 FROM(IC-MESSAGE) LENGTH(60) ERASE FREEKB         ACCTMENU
004300             END-EXEC                                             ACCTMENU
004400             EXEC CICS RETURN END-EXEC                            ACCTMENU
004500         WHEN OTHER                                               ACCTMENU
004600             MOVE 'THIS KEY HAS NO MEANING HERE' TO IC-MESSAGE    ACCTMENU
004700             PERFORM 1000-SEND                                    ACCTMENU
004800     END-EVALUATE                                                 ACCTMENU
004900     PERFORM 9000-RETURN                                          ACCTMENU
005000     GOBACK.                                                      ACCTMENU
005100                                                                  ACCTMENU
005200 1000-SEND.                                                       ACCTMENU
005300     EXEC CICS SEND                                               ACCTMENU
005400         MAP('MENU01') MAPSET('ACCTSET')                          ACCTMENU
005500         FROM(MENU-MAP-O)                                         ACCTMENU
005600         ERASE                                                    ACCTMENU
005700     END-EXEC.                                                    ACCTMENU
005800                                                                  ACCTMENU
005900 2000-RECEIVE.                                                    ACCTMENU
006000     EXEC CICS RECEIVE                                            ACCTMENU
006100         MAP('MENU01') MAPSET('ACCTSET')                          ACCTMENU
006200         INTO(MENU-MAP-I)                                         ACCTMENU
006300         RESP(WS-RESPONSE)                                        ACCTMENU
006400     END-EXEC                                                     ACCTMENU
006500     IF WS-RESPONSE NOT = 0                                       ACCTMENU
006600         MOVE 'NO INPUT' TO IC-MESSAGE                            ACCTMENU
006700         PERFORM 1000-SEND                                        ACCTMENU
006800     ELSE                                                         ACCTMENU
006900         MOVE MENU-OPERATOR-I TO IC-OPERATOR                      ACCTMENU
007000         EVALUATE MENU-CHOICE-I                                   ACCTMENU
007100             WHEN '1' MOVE 'ACCTINQ' TO WS-NEXT-PROGRAM           ACCTMENU
007200             WHEN '2' MOVE 'CUSTINQ' TO WS-NEXT-PROGRAM           ACCTMENU
007300             WHEN OTHER MOVE SPACES TO WS-NEXT-PROGRAM            ACCTMENU
007400         END-EVALUATE                                             ACCTMENU
007500         IF WS-NEXT-PROGRAM = SPACES                              ACCTMENU
007600             MOVE 'CHOOSE 1 OR 2' TO IC-MESSAGE                   ACCTMENU
007700             PERFORM 1000-SEND                                    ACCTMENU
007800         ELSE                                                     ACCTMENU
007900             MOVE SPACE TO IC-STATE                               ACCTMENU
008000             EXEC CICS XCTL                                       ACCTMENU
008100                 PROGRAM(WS-NEXT-PROGRAM)                         ACCTMENU
008200                 COMMAREA(WS-AREA)                                ACCTMENU
008300             END-EXEC                                             ACCTMENU
008400         END-IF                                                   ACCTMENU
008500     END-IF.                                                      ACCTMENU
008600                                                                  ACCTMENU
008700 9000-RETURN.                                                     ACCTMENU
008800     EXEC CICS RETURN                                             ACCTMENU
008900         TRANSID('AMNU')                                          ACCTMENU
009000         COMMAREA(WS-AREA)                                        ACCTMENU
009100     END-EXEC.                                                    ACCTMENU
