000100* PARAMETERS OF THE DATE SERVICE DATEUTIL                         DATEPARM
000200 01  DATE-PARM.                                                   DATEPARM
000300     05  DP-FUNCTION              PIC X(4).                       DATEPARM
000400         88  DP-VALIDATE          VALUE 'VALI'.                   DATEPARM
000500         88  DP-ADD-DAYS          VALUE 'ADDD'.                   DATEPARM
000600         88  DP-DAY-NUMBER        VALUE 'DAYN'.                   DATEPARM
000700     05  DP-DATE                  PIC 9(8).                       DATEPARM
000800     05  DP-DATE-PARTS REDEFINES DP-DATE.                         DATEPARM
000900         10  DP-CCYY              PIC 9(4).                       DATEPARM
001000         10  DP-MM                PIC 99.                         DATEPARM
001100         10  DP-DD                PIC 99.                         DATEPARM
001200     05  DP-DAYS                  PIC S9(5) COMP-3.               DATEPARM
001300     05  DP-DAY-NO                PIC 9(7) COMP.                  DATEPARM
001400     05  DP-RETURN                PIC 99.                         DATEPARM
001500         88  DP-OK                VALUE 0.                        DATEPARM
001600         88  DP-BAD-DATE          VALUE 8.                        DATEPARM
001700         88  DP-BAD-FUNCTION      VALUE 12.                       DATEPARM
