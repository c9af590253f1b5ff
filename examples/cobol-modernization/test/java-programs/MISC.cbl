       IDENTIFICATION DIVISION.
       PROGRAM-ID. MISC.
       DATA DIVISION.
       WORKING-STORAGE SECTION.
       01 G.
          05 E1 PIC ZZ9.99.
          05 E2 PIC XX/XX.
          05 N1 PIC 9(3).
          05 N2 PIC S9(3)V9 COMP-3.
          05 X1 PIC X(3).
       01 G2.
          88 G2-EMPTY VALUE SPACES.
          05 G2-A PIC X(3) VALUE 'abc'.
          05 G2-B PIC 9(2) VALUE 42.
       01 B1 PIC 9(4) COMP VALUE 9999.
       01 B2 PIC S9(4) COMP-5 VALUE 9999.
       01 P1 PIC S9(3) COMP-3 VALUE 999.
       01 A1 PIC X(5) VALUE 'Q'.
       01 S1 PIC S9(3) SIGN LEADING SEPARATE VALUE -12.
       01 S2 PIC S9(3) SIGN TRAILING SEPARATE VALUE 12.
       01 S3 PIC S9(3) SIGN LEADING VALUE -12.
       01 SS REDEFINES S3 PIC X(3).
       01 T.
          05 TT OCCURS 3 TIMES.
             10 TT-D PIC 9(4).
             10 TT-R REDEFINES TT-D.
                15 TT-H PIC 99.
                15 TT-L PIC 99.
             10 TT-F PIC X VALUE 'N'.
                88 TT-YES VALUE 'Y'.
       01 I PIC 9.
       01 PP PIC 9(5) VALUE 12300.
       01 PV PIC VP9(3) VALUE 0.0123.
       01 K PIC 9(2) VALUE 3.
       01 ODO-T.
          05 OT PIC X OCCURS 1 TO 9 TIMES DEPENDING ON K.
       01 H PIC X(2) VALUE X'4142'.
       01 LONG-NUM PIC 9(20) VALUE 12345678901234567890.
       01 W PIC S9(4)V99 VALUE -1.5.
       PROCEDURE DIVISION.
       MAIN-PARA.
           DISPLAY 'A ' E1 '|' E2 '|' N1 '|' N2 '|' X1 '|'
           MOVE 'ABCD' TO E2
           DISPLAY 'B ' E2
           INITIALIZE G
           DISPLAY 'C ' E1 '|' E2 '|'
           MOVE 12.345 TO E1
           DISPLAY 'D ' E1
           ADD 1 TO B1 B2 P1
           DISPLAY 'E ' B1 ' ' B2 ' ' P1
           IF NOT G2-EMPTY DISPLAY 'F NOT EMPTY' END-IF
           SET G2-EMPTY TO TRUE
           MOVE 7 TO G2-B
           DISPLAY 'H ' G2
           MOVE '123' TO N1
           MOVE G2 TO N1
           DISPLAY 'J ' S1 ' ' S2 ' ' S3 ' ' SS
           MOVE S1 TO N2
           DISPLAY 'K ' N2
           MOVE 1234 TO TT-D (2)
           DISPLAY 'L ' TT-H (2) ' ' TT-L (2)
           MOVE 99 TO TT-L (3)
           SET TT-YES (3) TO TRUE
           DISPLAY 'M ' TT-D (3) TT-F (3) TT-F (1)
           MOVE 2 TO I
           ADD 1 TO TT-L (I)
           DISPLAY 'N ' TT-D (I)
           IF TT-YES (I) DISPLAY 'O YES' ELSE DISPLAY 'O NO' END-IF
           DISPLAY 'P ' PP ' ' PV
           ADD 100 TO PP
           DISPLAY 'Q ' PP
           MOVE ALL 'xy' TO OT (1) OT (2) OT (3)
           DISPLAY 'R ' OT (1) OT (3) ' ' H ' ' LONG-NUM
           ADD 1 TO LONG-NUM
           DISPLAY 'S ' LONG-NUM
           IF W < 0 AND W IS NEGATIVE DISPLAY 'T NEG' END-IF
           IF W > -2 OR = 5 DISPLAY 'U' END-IF
           COMPUTE W = - W * 2
           DISPLAY 'V ' W
           COMPUTE W = FUNCTION MAX (1, 2.5) + FUNCTION MOD (-7 3)
           DISPLAY 'W ' W
           MOVE LOW-VALUES TO A1
           IF A1 = LOW-VALUES DISPLAY 'X LOW' END-IF
           MOVE 5 TO A1
           DISPLAY 'Y ' A1 '|'
           IF I = 2 AND (K = 4 OR K = 3) DISPLAY 'Z' END-IF
           MOVE 3.7 TO I
           DISPLAY 'AA ' I
           MOVE -1.5 TO W
           ADD W TO W
           DISPLAY 'AB ' W
           SUBTRACT 1 FROM W GIVING E1 ROUNDED
           DISPLAY 'AC ' E1
           EVALUATE TRUE ALSO I
               WHEN W < 0 ALSO 3 DISPLAY 'AD 1'
               WHEN OTHER DISPLAY 'AD 2'
           END-EVALUATE
           EVALUATE I WHEN 1 WHEN 3 DISPLAY 'AE' WHEN 4 THRU 6
               DISPLAY 'AF' END-EVALUATE
           MULTIPLY 2 BY W ROUNDED I
           DISPLAY 'AG ' W I
           DISPLAY 'AH ' WITH NO ADVANCING
           DISPLAY 'END'
           MOVE 4 TO RETURN-CODE
           STOP RUN.
