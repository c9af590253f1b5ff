000100 IDENTIFICATION DIVISION.                                         ERRHAND
000200 PROGRAM-ID.    ERRHAND.                                          ERRHAND
000300 AUTHOR.        BATCH SYSTEMS.                                    ERRHAND
000400*---------------------------------------------------------------- ERRHAND
000500* ERROR HANDLER.  SHOWS ONE MESSAGE AND SETS THE RETURN CODE THAT ERRHAND
000600* THE JOB SCHEDULER LOOKS AT.  AFTER TEN SERIOUS ERRORS IN ONE RUNERRHAND
000700* THE NEXT ONE IS MADE FATAL.                                     ERRHAND
000800*---------------------------------------------------------------- ERRHAND
000900 ENVIRONMENT DIVISION.                                            ERRHAND
001000 DATA DIVISION.                                                   ERRHAND
001100 WORKING-STORAGE SECTION.                                         ERRHAND
001200 01  WS-COUNTERS.                                                 ERRHAND
001300     05  WS-COUNT                 PIC 9(5) COMP OCCURS 4 TIMES.   ERRHAND
001400 01  WS-LEVEL                     PIC 9    VALUE ZERO.            ERRHAND
001500 01  WS-LEVEL-NAMES.                                              ERRHAND
001600     05  FILLER                   PIC X(8) VALUE 'INFO    '.      ERRHAND
001700     05  FILLER                   PIC X(8) VALUE 'WARNING '.      ERRHAND
001800     05  FILLER                   PIC X(8) VALUE 'SERIOUS '.      ERRHAND
001900     05  FILLER                   PIC X(8) VALUE 'FATAL   '.      ERRHAND
002000 01  WS-LEVEL-TABLE REDEFINES WS-LEVEL-NAMES.                     ERRHAND
002100     05  WS-LEVEL-NAME            PIC X(8) OCCURS 4 TIMES.        ERRHAND
002200 01  WS-LINE                      PIC X(110).                     ERRHAND
002300 01  WS-POINTER                   PIC 9(3) COMP.                  ERRHAND
002400 01  WS-FIRST-CALL                PIC X VALUE 'Y'.                ERRHAND
002500 LINKAGE SECTION.                                                 ERRHAND
002600 COPY ERRPARM.                                                    ERRHAND
002700 PROCEDURE DIVISION USING ERROR-PARM.                             ERRHAND
002800 MAIN-LINE.                                                       ERRHAND
002900     IF WS-FIRST-CALL = 'Y'                                       ERRHAND
003000         PERFORM CLEAR-COUNTER                                    ERRHAND
003100             VARYING WS-LEVEL FROM 1 BY 1 UNTIL WS-LEVEL > 4      ERRHAND
003200         MOVE 'N' TO WS-FIRST-CALL                                ERRHAND
003300     END-IF.                                                      ERRHAND
003400     EVALUATE EP-SEVERITY                                         ERRHAND
003500         WHEN 0 THRU 3                                            ERRHAND
003600             MOVE 1 TO WS-LEVEL                                   ERRHAND
003700         WHEN 4 THRU 7                                            ERRHAND
003800             MOVE 2 TO WS-LEVEL                                   ERRHAND
003900         WHEN 8 THRU 11                                           ERRHAND
004000             MOVE 3 TO WS-LEVEL                                   ERRHAND
004100         WHEN OTHER                                               ERRHAND
004200             MOVE 4 TO WS-LEVEL                                   ERRHAND
004300     END-EVALUATE                                                 ERRHAND
004400     ADD 1 TO WS-COUNT (WS-LEVEL)                                 ERRHAND
004500     IF WS-COUNT (3) > 10                                         ERRHAND
004600         MOVE 4 TO WS-LEVEL                                       ERRHAND
004700         MOVE 12 TO EP-SEVERITY                                   ERRHAND
004800     END-IF                                                       ERRHAND
004900     PERFORM BUILD-LINE                                           ERRHAND
005000     DISPLAY WS-LINE                                              ERRHAND
005100     IF EP-SEVERITY > RETURN-CODE                                 ERRHAND
005200         MOVE EP-SEVERITY TO RETURN-CODE                          ERRHAND
005300     END-IF                                                       ERRHAND
005400     GOBACK.                                                      ERRHAND
005500                                                                  ERRHAND
005600 CLEAR-COUNTER.                                                   ERRHAND
005700     MOVE ZERO TO WS-COUNT (WS-LEVEL).                            ERRHAND
005800                                                                  ERRHAND
005900 BUILD-LINE.                                                      ERRHAND
006000     MOVE SPACES TO WS-LINE                                       ERRHAND
006100     MOVE 1 TO WS-POINTER                                         ERRHAND
006200     STRING WS-LEVEL-NAME (WS-LEVEL) DELIMITED BY SPACE           ERRHAND
006300            ' '                      DELIMITED BY SIZE            ERRHAND
006400            EP-CODE                  DELIMITED BY SPACE           ERRHAND
006500            ' IN '                   DELIMITED BY SIZE            ERRHAND
006600            EP-PROGRAM               DELIMITED BY SPACE           ERRHAND
006700            '/'                      DELIMITED BY SIZE            ERRHAND
006800            EP-PARAGRAPH             DELIMITED BY SPACE           ERRHAND
006900            ': '                     DELIMITED BY SIZE            ERRHAND
007000            EP-TEXT                  DELIMITED BY SIZE            ERRHAND
007100         INTO WS-LINE                                             ERRHAND
007200         WITH POINTER WS-POINTER                                  ERRHAND
007300         ON OVERFLOW                                              ERRHAND
007400             DISPLAY 'ERRHAND: MESSAGE CUT'                       ERRHAND
007500     END-STRING.                                                  ERRHAND
