       IDENTIFICATION DIVISION.
       PROGRAM-ID. DATAS.
       DATA DIVISION.
       WORKING-STORAGE SECTION.
       01 REC.
          05 REC-KEY.
             10 REC-A PIC 9(4) VALUE 12.
             10 REC-B PIC X(3) VALUE 'XY'.
          05 REC-AMT PIC S9(5)V99 COMP-3 VALUE -12.34.
          05 REC-DATE PIC 9(8) VALUE 20240131.
          05 REC-DATE-R REDEFINES REC-DATE.
             10 R-Y PIC 9(4).
             10 R-M PIC 99.
             10 R-D PIC 99.
          05 REC-S PIC S9(3) VALUE -45.
       66 SHORT-REC RENAMES REC-A THRU REC-B.
       01 COPY-REC.
          05 C-KEY PIC X(7).
          05 C-AMT PIC S9(5)V99 COMP-3.
          05 C-DATE PIC X(8).
          05 C-S PIC X(3).
       01 CORR-1.
          05 AAA PIC 99 VALUE 5.
          05 BBB PIC X(3) VALUE 'ABC'.
          05 CCC PIC 9 VALUE 1.
       01 CORR-2.
          05 BBB PIC X(5) VALUE SPACES.
          05 AAA PIC 9(4) VALUE 0.
          05 DDD PIC 9 VALUE 7.
       01 TXT PIC X(20) VALUE 'HELLO WORLD'.
       01 CODE-X PIC X VALUE 'B'.
          88 IS-A VALUE 'A'.
          88 IS-BD VALUE 'B' THRU 'D'.
          88 IS-Z VALUE 'Z' FALSE 'Q'.
       01 NUMB PIC 99 VALUE 15.
          88 TEENS VALUES 13 THRU 19.
          88 TENS VALUE 10 20 30.
       01 PTR PIC 99.
       01 CNT PIC 99 VALUE 0.
       01 WRDS.
          05 W PIC X(6) OCCURS 3 TIMES VALUE ALL '*'.
       01 NEST.
          05 N1 OCCURS 2 TIMES.
             10 N2 PIC 9 VALUE 3.
             10 N3 OCCURS 2 TIMES.
                15 N4 PIC X VALUE 'n'.
                15 N5 PIC 99 VALUE 7.
       01 VALS PIC X(9) VALUE 'AA1BB2CC3'.
       01 VALS-T REDEFINES VALS.
          05 VAL OCCURS 3 TIMES INDEXED BY VX.
             10 VAL-C PIC XX.
             10 VAL-N PIC 9.
       PROCEDURE DIVISION.
       MAIN-PARA.
           DISPLAY 'A ' REC-KEY '|' R-M '|' REC-AMT '|' REC-S
           MOVE 12 TO R-M
           DISPLAY 'B ' REC-DATE
           MOVE 19991231 TO REC-DATE
           DISPLAY 'C ' R-Y ' ' R-D
           MOVE REC TO COPY-REC
           DISPLAY 'D ' C-KEY '|' C-AMT '|' C-DATE '|' C-S
           MOVE 'QQ77' TO C-KEY
           MOVE COPY-REC TO REC
           DISPLAY 'E ' REC-B '|' REC-AMT '|' REC-S
           MOVE 1234 TO REC-A
           DISPLAY 'F ' SHORT-REC '|'
           MOVE 'ABCDEFG' TO REC-KEY
           DISPLAY 'G ' REC-B
           MOVE CORRESPONDING CORR-1 TO CORR-2
           DISPLAY 'H ' CORR-2
           DISPLAY 'I ' TXT (7:5) '|' TXT (1:1)
           MOVE 'XX' TO TXT (3:2)
           MOVE SPACES TO TXT (12:)
           DISPLAY 'J ' TXT '|'
           IF IS-A DISPLAY 'IS A' ELSE DISPLAY 'NOT A' END-IF
           IF IS-BD DISPLAY 'IS BD' END-IF
           SET IS-Z TO TRUE
           DISPLAY 'K ' CODE-X
           SET IS-Z TO FALSE
           DISPLAY 'L ' CODE-X
           IF TEENS AND NOT TENS DISPLAY 'TEENS' END-IF
           MOVE 1 TO PTR
           MOVE SPACES TO TXT
           STRING 'AB CD' DELIMITED BY SPACE
                  '-' DELIMITED BY SIZE
                  NUMB DELIMITED BY SIZE
               INTO TXT WITH POINTER PTR
           DISPLAY 'M ' TXT '|' PTR
           STRING 'LONG LONG LONG LONG TEXT' DELIMITED BY SIZE
               INTO TXT POINTER PTR
               ON OVERFLOW DISPLAY 'OVERFLOW ' PTR
               NOT ON OVERFLOW DISPLAY 'FITS'
           END-STRING
           DISPLAY 'N ' TXT '|'
           DISPLAY 'O ' WRDS
           UNSTRING 'one,two;;three' DELIMITED BY ',' OR ALL ';'
               INTO W (1) W (2) W (3) TALLYING CNT
           DISPLAY 'P ' WRDS '|' CNT
           INSPECT WRDS REPLACING ALL 'e' BY 'E'
           DISPLAY 'Q ' WRDS
           MOVE 0 TO CNT
           INSPECT WRDS TALLYING CNT FOR ALL 'E'
           DISPLAY 'R ' CNT
           INSPECT WRDS CONVERTING 'otw' TO 'OTW'
           DISPLAY 'S ' WRDS
           DISPLAY 'T ' NEST
           MOVE 'z' TO N4 (2 1)
           MOVE 88 TO N5 (1 2)
           DISPLAY 'U ' NEST
           INITIALIZE NEST
           DISPLAY 'V ' NEST
           MOVE ALL 'ab' TO TXT
           DISPLAY 'W ' TXT
           MOVE ZEROS TO TXT
           DISPLAY 'X ' TXT
           SET VX TO 1
           SEARCH VAL
               AT END DISPLAY 'NONE'
               WHEN VAL-C (VX) = 'BB' DISPLAY 'Y ' VAL-N (VX)
           END-SEARCH
           MOVE 9 TO VAL-N (3)
           DISPLAY 'Z ' VALS
           IF TXT (1:3) IS NUMERIC DISPLAY 'NUMERIC' END-IF
           MOVE 'AbC' TO TXT
           IF TXT IS ALPHABETIC DISPLAY 'ALPHA' END-IF
           IF 'ABC' < 'ABD' DISPLAY 'LESS' END-IF
           IF 'ABC' = 'ABC  ' DISPLAY 'PADDED' END-IF
           IF NUMB = '15' DISPLAY 'AS TEXT' END-IF
           EVALUATE NUMB ALSO CODE-X
               WHEN 10 THRU 14 ALSO ANY DISPLAY 'LOW'
               WHEN 15 ALSO 'A' THRU 'F' DISPLAY 'AF'
               WHEN 15 ALSO NOT 'X' DISPLAY 'NOT X'
               WHEN OTHER DISPLAY 'OTHER'
           END-EVALUATE
           DISPLAY LENGTH OF REC ' ' FUNCTION UPPER-CASE(TXT)
           STOP RUN.
