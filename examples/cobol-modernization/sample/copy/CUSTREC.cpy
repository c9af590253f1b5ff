000100* CUSTOMER MASTER RECORD, KEY IS CUST-ID                          CUSTREC
000200 01  CUSTOMER-RECORD.                                             CUSTREC
000300     05  CUST-ID                  PIC 9(7).                       CUSTREC
000400     05  CUST-NAME.                                               CUSTREC
000500         10  CUST-SURNAME         PIC X(20).                      CUSTREC
000600         10  CUST-FORENAME        PIC X(15).                      CUSTREC
000700     COPY ADDRESS.                                                CUSTREC
000800     05  CUST-BIRTH-DATE          PIC 9(8).                       CUSTREC
000900     05  CUST-RISK-CLASS          PIC X.                          CUSTREC
001000         88  CUST-RISK-LOW        VALUE 'L'.                      CUSTREC
001100         88  CUST-RISK-MEDIUM     VALUE 'M'.                      CUSTREC
001200         88  CUST-RISK-HIGH       VALUE 'H' 'X'.                  CUSTREC
001300     05  CUST-ACCT-COUNT          PIC 99 COMP.                    CUSTREC
001400     05  CUST-LAST-CONTACT        PIC 9(8).                       CUSTREC
001500     05  FILLER                   PIC X(11).                      CUSTREC
