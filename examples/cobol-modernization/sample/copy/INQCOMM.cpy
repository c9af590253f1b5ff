000100* COMMUNICATION AREA OF THE ONLINE INQUIRY                        INQCOMM
000200     05  IC-STATE                 PIC X.                          INQCOMM
000300         88  IC-FIRST-TIME        VALUE LOW-VALUE SPACE.          INQCOMM
000400         88  IC-ASKED             VALUE 'A'.                      INQCOMM
000500         88  IC-SHOWN             VALUE 'S'.                      INQCOMM
000600     05  IC-OPERATOR              PIC X(8).                       INQCOMM
000700     05  IC-ACCOUNT.                                              INQCOMM
000800         10  IC-BRANCH            PIC 9(4).                       INQCOMM
000900         10  IC-ACCT-NO           PIC 9(8).                       INQCOMM
001000     05  IC-BALANCE               PIC S9(11)V99 COMP-3.           INQCOMM
001100     05  IC-MESSAGE               PIC X(60).                      INQCOMM
