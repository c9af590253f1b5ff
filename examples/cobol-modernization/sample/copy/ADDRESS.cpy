000100* POSTAL ADDRESS, INCLUDED BY OTHER COPYBOOKS ONLY                ADDRESS
000200     05  CUST-ADDRESS.                                            ADDRESS
000300         10  CUST-STREET          PIC X(30).                      ADDRESS
000400         10  CUST-TOWN            PIC X(20).                      ADDRESS
000500         10  CUST-POSTCODE        PIC X(8).                       ADDRESS
000600         10  CUST-COUNTRY         PIC X(2).                       ADDRESS
000700             88  CUST-DOMESTIC    VALUE 'DE'.                     ADDRESS
000800             88  CUST-IN-EU       VALUES 'AT' 'BE' 'DE' 'ES' 'FR' ADDRESS
000900                                         'IT' 'NL' 'PL'.          ADDRESS
