       IDENTIFICATION DIVISION.
       PROGRAM-ID. NUMS.
       DATA DIVISION.
       WORKING-STORAGE SECTION.
       01 P2 PIC S9(3)V99 COMP-3.
       01 P0 PIC S9(3) COMP-3.
       01 U2 PIC 99.
       01 S2 PIC S99.
       01 D2 PIC S9(3)V99.
       01 D4 PIC S9(5)V9(4).
       01 B4 PIC S9(4) COMP.
       01 B9 PIC 9(9) COMP.
       01 L  PIC 9(15).
       01 BIG PIC S9(18) COMP-3.
       01 Q  PIC 9(3).
       01 R  PIC 9(3)V99.
       01 X5 PIC X(5).
       01 XR PIC X(6) JUSTIFIED RIGHT.
       01 E1 PIC ZZ,ZZ9.99-.
       01 E2 PIC $$,$$9.99.
       01 E3 PIC **9.99CR.
       01 E4 PIC -(4)9.
       01 E5 PIC ZZZ9 BLANK WHEN ZERO.
       01 E6 PIC 99/99/9999.
       01 E7 PIC +ZZ9.9.
       01 E8 PIC ZZZ.ZZ.
       PROCEDURE DIVISION.
       MAIN-PARA.
           COMPUTE P2 ROUNDED = 10 / 3
           DISPLAY 'A ' P2
           COMPUTE P2 ROUNDED = -2.345
           DISPLAY 'B ' P2
           COMPUTE P2 = -2.349
           DISPLAY 'C ' P2
           COMPUTE P0 ROUNDED = 2.5
           DISPLAY 'D ' P0
           MOVE 123.456 TO P2
           DISPLAY 'E ' P2
           MOVE 98765.4321 TO P2
           DISPLAY 'F ' P2
           MOVE 12345 TO U2
           DISPLAY 'G ' U2
           MOVE -7 TO U2
           DISPLAY 'H ' U2
           MOVE -7 TO S2
           DISPLAY 'I ' S2
           MOVE 1 TO U2
           COMPUTE U2 = 60 + 60
               ON SIZE ERROR DISPLAY 'SIZE ' U2
               NOT ON SIZE ERROR DISPLAY 'FITS ' U2
           END-COMPUTE
           COMPUTE U2 = 60 + 39
               ON SIZE ERROR DISPLAY 'SIZE ' U2
               NOT ON SIZE ERROR DISPLAY 'FITS ' U2
           END-COMPUTE
           MOVE 5 TO U2
           DIVIDE 10 BY 0 GIVING U2
               ON SIZE ERROR DISPLAY 'ZERO DIVIDE ' U2
           END-DIVIDE
           DIVIDE 17 INTO 100 GIVING Q REMAINDER R
           DISPLAY 'J ' Q ' ' R
           DIVIDE 10.50 BY 3 GIVING Q ROUNDED REMAINDER R
           DISPLAY 'K ' Q ' ' R
           MOVE 9999 TO B4
           ADD 1 TO B4
               ON SIZE ERROR DISPLAY 'B4 SIZE ' B4
           END-ADD
           MOVE 7 TO B9
           MULTIPLY 3 BY B9
           DISPLAY 'L ' B9
           MOVE 123456789012345 TO L
           ADD 5 TO L
           DISPLAY 'M ' L
           MOVE -999999999999999999 TO BIG
           DISPLAY 'N ' BIG
           MOVE '12' TO U2
           DISPLAY 'O ' U2
           MOVE 42 TO X5
           DISPLAY 'P ' X5 '|'
           MOVE S2 TO X5
           DISPLAY 'Q ' X5 '|'
           MOVE 'AB' TO XR
           DISPLAY 'R ' XR '|'
           MOVE 'ABCDEFGH' TO XR
           DISPLAY 'S ' XR '|'
           MOVE -1234.5 TO E1
           DISPLAY 'T ' E1 '|'
           MOVE 0 TO E1
           DISPLAY 'U ' E1 '|'
           MOVE 12.3 TO E2
           DISPLAY 'V ' E2 '|'
           MOVE 12345.67 TO E2
           DISPLAY 'W ' E2 '|'
           MOVE -5.5 TO E3
           DISPLAY 'X ' E3 '|'
           MOVE -12 TO E4
           DISPLAY 'Y ' E4 '|'
           MOVE 0 TO E5
           DISPLAY 'Z ' E5 '|'
           MOVE 12 TO E5
           DISPLAY 'AA ' E5 '|'
           MOVE 24122026 TO E6
           DISPLAY 'AB ' E6 '|'
           MOVE -3.75 TO E7
           DISPLAY 'AC ' E7 '|'
           MOVE 0 TO E8
           DISPLAY 'AD ' E8 '|'
           MOVE 0.5 TO E8
           DISPLAY 'AE ' E8 '|'
           MOVE 1.5 TO D2
           MULTIPLY D2 BY D2 GIVING D4
           DISPLAY 'AF ' D4
           ADD 1 2 3 TO D2 GIVING D4
           DISPLAY 'AG ' D4
           SUBTRACT 1 2 FROM D2
           DISPLAY 'AH ' D2
           COMPUTE D4 = 2 ** 10 / 3
           DISPLAY 'AI ' D4
           COMPUTE D4 = (1 + 2) * -3
           DISPLAY 'AJ ' D4
           ADD 1 TO D2 D4
           DISPLAY 'AK ' D2 ' ' D4
           MOVE 1 TO D2
           DIVIDE 3 INTO D2 ROUNDED
           DISPLAY 'AL ' D2
           IF D2 > 0.3 AND D2 < 0.4 DISPLAY 'AM IN' END-IF
           IF U2 = 12 DISPLAY 'AN EQ' END-IF
           IF D2 NOT = 0.33 DISPLAY 'AO NE' ELSE DISPLAY 'AO EQ' END-IF
           MOVE 7 TO U2
           COMPUTE U2 ROUNDED = U2 / 2
           DISPLAY 'AP ' U2
           MOVE 99 TO U2
           ADD 2 TO U2
           DISPLAY 'AQ ' U2
           MOVE E1 TO D2
           DISPLAY 'AR ' D2
           STOP RUN.
