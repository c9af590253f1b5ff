000100* PARAMETERS OF THE FRAUD CHECK FRAUDCHK                          FRAUDPRM
000200 01  FRAUD-PARM.                                                  FRAUDPRM
000300     05  FP-CUST-ID               PIC 9(7).                       FRAUDPRM
000400     05  FP-RISK-CLASS            PIC X.                          FRAUDPRM
000500     05  FP-AMOUNT                PIC S9(9)V99 COMP-3.            FRAUDPRM
000600     05  FP-CHANNEL               PIC X(3).                       FRAUDPRM
000700     05  FP-HOUR                  PIC 99.                         FRAUDPRM
000800     05  FP-TEXT                  PIC X(28).                      FRAUDPRM
000900     05  FP-SCORE                 PIC 9(3) COMP-3.                FRAUDPRM
001000     05  FP-DECISION              PIC X.                          FRAUDPRM
001100         88  FP-ACCEPT            VALUE 'A'.                      FRAUDPRM
001200         88  FP-REVIEW            VALUE 'R'.                      FRAUDPRM
001300         88  FP-BLOCK             VALUE 'B'.                      FRAUDPRM
