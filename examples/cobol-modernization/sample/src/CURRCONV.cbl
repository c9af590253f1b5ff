       >>SOURCE FORMAT IS FREE
*> Converts an amount from one currency into another through the euro.
*> Called by the posting run and by the online payment dialogue.
identification division.
program-id. CURRCONV.
author. Payment Control.

data division.
working-storage section.
77  euro-amount         pic s9(13)v9(6) comp-3.
77  source-rate         pic 9(5)v9(5).
77  target-rate         pic 9(5)v9(5).
77  whole-amount        pic s9(13) comp-3.
77  target-decimals     pic 9.
77  wanted-code         pic x(3).
77  found-switch        pic x.
    88  rate-found      value 'Y' false 'N'.
copy CURRTAB.
linkage section.
copy CONVPARM.

procedure division using convert-parm.
convert-main section.
convert-start.
    set cp-ok to true
    move zero to cp-to-amount
    if cp-from-code = cp-to-code
        move cp-from-amount to cp-to-amount
        go to convert-exit
    end-if
    move cp-from-code to wanted-code
    perform find-rate
    if not rate-found
        go to convert-unknown
    end-if
    move currency-rate (currency-ix) to source-rate
    move cp-to-code to wanted-code
    perform find-rate
    if not rate-found
        go to convert-unknown
    end-if
    move currency-rate (currency-ix) to target-rate
    move currency-decimals (currency-ix) to target-decimals.
convert-amount.
    compute euro-amount rounded = cp-from-amount / source-rate
    compute cp-to-amount rounded = euro-amount * target-rate
        on size error
            set cp-overflow to true
            move zero to cp-to-amount
            go to convert-exit
    end-compute
    if target-decimals = 0
        compute whole-amount rounded = cp-to-amount
        move whole-amount to cp-to-amount
    end-if
    go to convert-exit.
convert-unknown.
    set cp-no-rate to true
    display 'CURRCONV: no rate for "' wanted-code '"'.
convert-exit.
    goback.

find-rate section.
find-start.
    set rate-found to false
    search all currency-row
        at end
            continue
        when currency-code (currency-ix) = wanted-code
            set rate-found to true
    end-search.
