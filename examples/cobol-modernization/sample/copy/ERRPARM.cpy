000100* PARAMETERS OF THE ERROR HANDLER ERRHAND                         ERRPARM
000200 01  ERROR-PARM.                                                  ERRPARM
000300     05  EP-PROGRAM               PIC X(8).                       ERRPARM
000400     05  EP-PARAGRAPH             PIC X(30).                      ERRPARM
000500     05  EP-SEVERITY              PIC 99.                         ERRPARM
000600         88  EP-INFO              VALUE 0 THRU 3.                 ERRPARM
000700         88  EP-WARNING           VALUE 4 THRU 7.                 ERRPARM
000800         88  EP-SERIOUS           VALUE 8 THRU 11.                ERRPARM
000900         88  EP-FATAL             VALUE 12 THRU 99.               ERRPARM
001000     05  EP-CODE                  PIC X(6).                       ERRPARM
001100     05  EP-TEXT                  PIC X(50).                      ERRPARM
