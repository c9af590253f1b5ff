       IDENTIFICATION DIVISION.
       PROGRAM-ID. LOOPS.
       DATA DIVISION.
       WORKING-STORAGE SECTION.
       01 I PIC 99.
       01 J PIC S99 COMP-3.
       01 K PIC 9(4) COMP.
       01 TOTAL PIC 9(5) VALUE 0.
       01 TABL.
          05 ROW OCCURS 3 TIMES INDEXED BY RX.
             10 CELL PIC 9(3) OCCURS 4 TIMES INDEXED BY CX.
       PROCEDURE DIVISION.
       MAIN-PARA.
           PERFORM VARYING I FROM 1 BY 2 UNTIL I > 7
               DISPLAY 'I ' I
           END-PERFORM
           DISPLAY 'END ' I
           PERFORM VARYING I FROM 1 BY 1 UNTIL I > 2
                   AFTER J FROM 3 BY -1 UNTIL J < 2
               DISPLAY I ' ' J
           END-PERFORM
           DISPLAY 'END ' I ' ' J
           PERFORM SHOW-IT VARYING I FROM 1 BY 1 UNTIL I > 2
                   AFTER K FROM I BY 1 UNTIL K > 2
           DISPLAY 'END ' I ' ' K
           PERFORM WITH TEST AFTER VARYING I FROM 1 BY 1 UNTIL I >= 3
               DISPLAY 'TA ' I
           END-PERFORM
           DISPLAY 'END ' I
           MOVE 0 TO K
           PERFORM 3 TIMES
               ADD 2 TO K
           END-PERFORM
           MOVE 2 TO I
           PERFORM ADD-ONE I TIMES
           DISPLAY 'K ' K
           PERFORM UNTIL K > 20
               ADD 1 TO K
               IF K = 10
                   EXIT PERFORM CYCLE
               END-IF
               IF K = 12
                   EXIT PERFORM
               END-IF
               DISPLAY 'U ' K
           END-PERFORM
           PERFORM WITH TEST AFTER UNTIL K > 0
               DISPLAY 'ONCE'
           END-PERFORM
           PERFORM VARYING RX FROM 1 BY 1 UNTIL RX > 3
               PERFORM VARYING CX FROM 1 BY 1 UNTIL CX > 4
                   COMPUTE CELL (RX CX) = RX * 10 + CX
               END-PERFORM
           END-PERFORM
           PERFORM VARYING RX FROM 3 BY -1 UNTIL RX = 0
               ADD CELL (RX 2) CELL (RX, 4) TO TOTAL
           END-PERFORM
           DISPLAY 'TOTAL ' TOTAL ' ' TABL
           SET RX TO 2
           SET RX UP BY 1
           SET CX TO 1
           SEARCH CELL VARYING CX
               AT END DISPLAY 'NOT FOUND'
               WHEN CELL (RX CX) = 33
                   SET K TO CX
                   DISPLAY 'FOUND ' K
           END-SEARCH
           STOP RUN.
       SHOW-IT.
           DISPLAY 'SHOW ' I ' ' K.
       ADD-ONE.
           ADD 1 TO K.
