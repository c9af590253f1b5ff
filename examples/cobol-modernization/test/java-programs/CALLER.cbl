       IDENTIFICATION DIVISION.
       PROGRAM-ID. CALLER.
       DATA DIVISION.
       WORKING-STORAGE SECTION.
       01 TARGET PIC X(8) VALUE 'CALLEE'.
       01 A PIC S9(3)V99 COMP-3 VALUE 1.25.
       01 B PIC X(4) VALUE 'abcd'.
       01 T.
          05 TE PIC 9(3) OCCURS 3 TIMES VALUE 5.
       01 I PIC 9 VALUE 2.
       01 R PIC X(6) VALUE 'qwerty'.
       01 RR REDEFINES R.
          05 RR-1 PIC X(3).
          05 RR-2 PIC X(3).
       PROCEDURE DIVISION.
       MAIN-PARA.
           CALL TARGET USING A B TE (I)
           DISPLAY A ' ' B ' ' T ' ' RETURN-CODE
           CALL 'CALLEE' USING BY REFERENCE A BY CONTENT B
               BY REFERENCE TE (3)
           DISPLAY A ' ' B ' ' T
           CANCEL TARGET
           CALL TARGET USING A B (2:2) TE (1)
           DISPLAY A ' ' B ' ' T
           CALL TARGET USING A RR-2 TE (1)
           DISPLAY R
           CALL 'MISSING' USING A
               ON EXCEPTION DISPLAY 'NO SUCH PROGRAM'
           END-CALL
           CALL 'STOPPER'
           DISPLAY 'NOT REACHED'.
