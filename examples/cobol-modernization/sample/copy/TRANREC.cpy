000100* ONE FINANCIAL TRANSACTION AS IT ARRIVES FROM THE CHANNELS       TRANREC
000200     05  TR-ID                    PIC 9(10).                      TRANREC
000300     05  TR-ACCOUNT.                                              TRANREC
000400         10  TR-BRANCH            PIC 9(4).                       TRANREC
000500         10  TR-ACCT-NO           PIC 9(8).                       TRANREC
000600     05  TR-TYPE                  PIC X.                          TRANREC
000700         88  TR-DEBIT             VALUE 'D'.                      TRANREC
000800         88  TR-CREDIT            VALUE 'C'.                      TRANREC
000900         88  TR-FEE               VALUE 'F'.                      TRANREC
001000         88  TR-REVERSAL          VALUE 'R'.                      TRANREC
001100     05  TR-AMOUNT                PIC S9(9)V99.                   TRANREC
001200     05  TR-CURRENCY              PIC X(3).                       TRANREC
001300     05  TR-DATE                  PIC 9(8).                       TRANREC
001400     05  TR-CHANNEL               PIC X(3).                       TRANREC
001500         88  TR-CARD              VALUE 'POS' 'ATM'.              TRANREC
001600         88  TR-ONLINE            VALUE 'WEB' 'APP'.              TRANREC
001700     05  TR-TEXT                  PIC X(28).                      TRANREC
