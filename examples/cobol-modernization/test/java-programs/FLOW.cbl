       IDENTIFICATION DIVISION.
       PROGRAM-ID. FLOW.
       DATA DIVISION.
       WORKING-STORAGE SECTION.
       01 N PIC 9(3) VALUE 0.
       01 K PIC 9 VALUE 0.
       PROCEDURE DIVISION.
       MAIN-PART SECTION.
       START-HERE.
           DISPLAY 'START'
           PERFORM A-FIRST THRU A-EXIT
           PERFORM A-FIRST
           PERFORM WORK-PART
           PERFORM COUNT-DOWN THRU COUNT-END
           MOVE 2 TO K
           PERFORM CHOOSE THRU CHOOSE-EXIT VARYING K FROM 1 BY 1
               UNTIL K > 4
           IF N > 900 THEN DISPLAY 'BIG' ELSE NEXT SENTENCE
           DISPLAY 'NOT REACHED'.
           DISPLAY 'AFTER SENTENCE'
           PERFORM JUMPER
           GO TO FINISH.
       DEAD-CODE.
           DISPLAY 'DEAD'.
       A-FIRST.
           DISPLAY 'A-FIRST'.
           IF N = 0
               MOVE 1 TO N
               GO TO A-EXIT
               DISPLAY 'DEAD TOO'.
       A-SECOND.
           DISPLAY 'A-SECOND'.
       A-EXIT.
           EXIT.
       COUNT-DOWN.
           ADD 1 TO N.
           IF N < 4
               GO TO COUNT-DOWN.
           DISPLAY 'COUNTED ' N.
           GO TO COUNT-END.
       COUNT-SKIPPED.
           DISPLAY 'SKIPPED'.
       COUNT-END.
           DISPLAY 'COUNT-END'.
       CHOOSE.
           GO TO CH-ONE CH-TWO CH-THREE DEPENDING ON K.
           DISPLAY 'NO CHOICE ' K.
           GO TO CHOOSE-EXIT.
       CH-ONE.
           DISPLAY 'ONE'.
       CH-TWO.
           DISPLAY 'TWO'.
           EXIT PARAGRAPH.
           DISPLAY 'DEAD'.
       CH-THREE.
           DISPLAY 'THREE'.
       CHOOSE-EXIT.
           EXIT.
       JUMPER.
           DISPLAY 'JUMPER'
           PERFORM INNER-ONE THRU INNER-TWO
           DISPLAY 'JUMPER END'.
       INNER-ONE.
           DISPLAY 'INNER-ONE'
           IF N < 6
               ADD 1 TO N
               GO TO SIDE-TRACK
           END-IF.
       INNER-TWO.
           DISPLAY 'INNER-TWO'.
       SIDE-TRACK.
           DISPLAY 'SIDE-TRACK ' N
           GO TO INNER-ONE.
       WORK-PART SECTION.
       STEP-ONE.
           DISPLAY 'STEP-ONE'
           PERFORM STEP-ONE-A.
       STEP-TWO.
           DISPLAY 'STEP-TWO'
           IF N > 0
               EXIT SECTION
           END-IF
           DISPLAY 'DEAD'.
       STEP-ONE-A.
           DISPLAY 'STEP-ONE-A'.
       END-PART SECTION.
       FINISH.
           DISPLAY 'FINISH'.
       LAST-ONE.
           DISPLAY 'LAST-ONE'.
