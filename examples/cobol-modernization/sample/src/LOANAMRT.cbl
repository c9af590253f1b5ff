       >>SOURCE FORMAT IS FREE
*> Amortisation plan of an annuity loan.
*> Prints one line per month and a total; the last instalment takes
*> the rounding difference.
identification division.
program-id. LOANAMRT.
author. Lending Systems.

environment division.
data division.
working-storage section.
01  loan-terms.
    05  loan-principal      pic s9(9)v99 comp-3 value 12000.00.
    05  loan-annual-rate    pic 9(2)v9(3)       value 4.800.
    05  loan-months         pic 9(3)            value 12.
01  work-fields.
    05  monthly-rate        pic s9v9(8)  comp-3.
    05  growth-factor       pic s9(3)v9(10) comp-3.
    05  instalment          pic s9(7)v99 comp-3.
    05  interest-part       pic s9(7)v99 comp-3.
    05  capital-part        pic s9(7)v99 comp-3.
    05  remaining           pic s9(9)v99 comp-3.
    05  interest-total      pic s9(9)v99 comp-3 value zero.
    05  month-number        pic 9(3) comp.
01  plan-switch             pic x value 'Y'.
    88  plan-possible       value 'Y' false 'N'.
01  plan-line.
    05  pl-month            pic zz9.
    05  filler              pic xx value spaces.
    05  pl-interest         pic zz,zz9.99.
    05  filler              pic xx value spaces.
    05  pl-capital          pic zz,zz9.99.
    05  filler              pic xx value spaces.
    05  pl-remaining        pic zzz,zz9.99-.
01  plan-history.
    05  history-year occurs 3 times.
        10  history-month   occurs 12 times.
            15  hist-interest pic s9(7)v99 comp-3.
            15  hist-capital  pic s9(7)v99 comp-3.
01  year-number             pic 9.
01  slot-number             pic 99.
01  year-interest           pic s9(7)v99.

procedure division.
main-line.
    perform check-terms
    if not plan-possible
        display 'LOANAMRT: terms are not possible'
        move 8 to return-code
        goback
    end-if
    initialize plan-history
    perform compute-instalment
    move loan-principal to remaining
    perform one-month
        varying month-number from 1 by 1
        until month-number > loan-months
    move interest-total to pl-remaining
    display 'total interest ' pl-remaining
    perform yearly-totals
    goback.

check-terms.
    set plan-possible to true
    if loan-principal not > 0 or loan-months = 0 or loan-months > 36
        set plan-possible to false
    end-if.

compute-instalment.
    compute monthly-rate rounded = loan-annual-rate / 1200
    compute growth-factor rounded = (1 + monthly-rate) ** loan-months
    compute instalment rounded =
        loan-principal * monthly-rate * growth-factor / (growth-factor - 1)
        on size error
            display 'LOANAMRT: instalment does not fit'
            set plan-possible to false
    end-compute.

one-month.
    multiply remaining by monthly-rate giving interest-part rounded
    if month-number = loan-months
        move remaining to capital-part
    else
        subtract interest-part from instalment giving capital-part
    end-if
    subtract capital-part from remaining
    add interest-part to interest-total
    divide month-number by 12 giving year-number remainder slot-number
    if slot-number = 0
        move 12 to slot-number
    else
        add 1 to year-number
    end-if
    move interest-part to hist-interest (year-number slot-number)
    move capital-part  to hist-capital (year-number, slot-number)
    move month-number  to pl-month
    move interest-part to pl-interest
    move capital-part  to pl-capital
    move remaining     to pl-remaining
    display plan-line.

yearly-totals.
    perform varying year-number from 1 by 1 until year-number > 3
        move zero to year-interest
        perform with test after varying slot-number from 1 by 1
                until slot-number = 12
            add hist-interest (year-number slot-number) to year-interest
        end-perform
        if year-interest = 0
            exit perform
        end-if
        display 'year ' year-number ' interest ' year-interest
    end-perform.

end program LOANAMRT.
