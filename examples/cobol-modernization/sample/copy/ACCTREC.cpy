000100* ACCOUNT MASTER RECORD, KEY IS THE BRANCH AND ACCOUNT NUMBER.    ACCTREC
000200* REPLACE :TAG: WITH THE PREFIX THAT YOUR PROGRAM USES.           ACCTREC
000300 01  :TAG:-ACCOUNT-RECORD.                                        ACCTREC
000400     05  :TAG:-ACCT-KEY.                                          ACCTREC
000500         10  :TAG:-BRANCH         PIC 9(4).                       ACCTREC
000600         10  :TAG:-ACCT-NO        PIC 9(8).                       ACCTREC
000700     05  :TAG:-CUST-ID            PIC 9(7).                       ACCTREC
000800     05  :TAG:-ACCT-TYPE          PIC X(2).                       ACCTREC
000900         88  :TAG:-IS-CURRENT     VALUE 'CU'.                     ACCTREC
001000         88  :TAG:-IS-SAVINGS     VALUE 'SA' 'SX'.                ACCTREC
001100         88  :TAG:-IS-LOAN        VALUE 'LN'.                     ACCTREC
001200     05  :TAG:-STATUS             PIC X.                          ACCTREC
001300         88  :TAG:-ACTIVE         VALUE 'A'.                      ACCTREC
001400         88  :TAG:-FROZEN         VALUE 'F'.                      ACCTREC
001500         88  :TAG:-CLOSED         VALUE 'C'.                      ACCTREC
001600     05  :TAG:-CURRENCY           PIC X(3).                       ACCTREC
001700     05  :TAG:-BALANCE            PIC S9(11)V99 COMP-3.           ACCTREC
001800     05  :TAG:-OVERDRAFT          PIC S9(7)V99  COMP-3.           ACCTREC
001900     05  :TAG:-ACCRUED            PIC S9(7)V9(4) COMP-3.          ACCTREC
002000     05  :TAG:-OPEN-DATE          PIC 9(8).                       ACCTREC
002100     05  :TAG:-OPEN-DATE-R REDEFINES :TAG:-OPEN-DATE.             ACCTREC
002200         10  :TAG:-OPEN-CCYY      PIC 9(4).                       ACCTREC
002300         10  :TAG:-OPEN-MM        PIC 99.                         ACCTREC
002400         10  :TAG:-OPEN-DD        PIC 99.                         ACCTREC
002500     05  :TAG:-LAST-POSTED        PIC 9(8).                       ACCTREC
002600     05  FILLER                   PIC X(10).                      ACCTREC
