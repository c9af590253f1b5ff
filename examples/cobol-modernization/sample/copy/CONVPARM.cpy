       *> Parameters of the currency converter CURRCONV.
       01  CONVERT-PARM.
           05  CP-FROM-CODE      PIC X(3).
           05  CP-TO-CODE        PIC X(3).
           05  CP-FROM-AMOUNT    PIC S9(11)V99 COMP-3.
           05  CP-TO-AMOUNT      PIC S9(11)V99 COMP-3.
           05  CP-RETURN         PIC 99.
               88  CP-OK         VALUE 0.
               88  CP-NO-RATE    VALUE 8.
               88  CP-OVERFLOW   VALUE 12.
