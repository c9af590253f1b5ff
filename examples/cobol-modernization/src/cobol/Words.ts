/** Words that begin a statement; none of them can be a data name. */
export const verbs: ReadonlySet<string> = new Set(
  `ACCEPT ADD ALLOCATE ALTER CALL CANCEL CLOSE COMMIT COMPUTE CONTINUE DELETE DISABLE DISPLAY DIVIDE ENABLE
  ENTRY EVALUATE EXAMINE EXHIBIT EXIT FREE GENERATE GO GOBACK IF INITIALIZE INITIATE INSPECT INVOKE JSON MERGE
  MOVE MULTIPLY NEXT OPEN PERFORM RAISE READ READY RECEIVE RELEASE RESET RETURN REWRITE ROLLBACK SEARCH SEND
  SERVICE SET SORT START STOP STRING SUBTRACT SUPPRESS TERMINATE UNLOCK UNSTRING USE WRITE XML`.split(/\s+/)
)

/** Words that end a list of operands; a data name cannot be one of them. */
export const keywords: ReadonlySet<string> = new Set(
  `ADVANCING AFTER ALL ALPHABETIC ALPHABETIC-LOWER ALPHABETIC-UPPER ALSO AND ANY ASCENDING AT BEFORE BY
  CHARACTERS CONTENT CONVERTING CORR CORRESPONDING COUNT DELIMITED DELIMITER DEPENDING DESCENDING DIVISION DOWN DUPLICATES
  ELSE END EOP END-OF-PAGE EQUAL EQUALS ERROR EXCEPTION FALSE FIRST FOR FROM GIVING GREATER IN INITIAL INPUT INTO INVALID
  IS KEY LEADING LESS NEGATIVE NO NOT NUMERIC OF OMITTED ON OR OTHER OUTPUT OVERFLOW POINTER POSITIVE
  PROCEDURE REFERENCE REMAINDER REPLACING RETURNING REWIND ROUNDED RUN SECTION SENTENCE SIZE TALLYING TEST THAN
  THEN THROUGH THRU TIMES TO TRAILING TRUE UNTIL UP UPON USING VALUE VARYING WHEN WITH`.split(/\s+/)
)

const figuratives: ReadonlyMap<string, string> = new Map([
  ["ZERO", "ZERO"],
  ["ZEROS", "ZERO"],
  ["ZEROES", "ZERO"],
  ["SPACE", "SPACE"],
  ["SPACES", "SPACE"],
  ["HIGH-VALUE", "HIGH-VALUE"],
  ["HIGH-VALUES", "HIGH-VALUE"],
  ["LOW-VALUE", "LOW-VALUE"],
  ["LOW-VALUES", "LOW-VALUE"],
  ["QUOTE", "QUOTE"],
  ["QUOTES", "QUOTE"],
  ["NULL", "NULL"],
  ["NULLS", "NULL"]
])

/** The singular of a figurative constant, or undefined for any other word. */
export const figurativeOf = (word: string): string | undefined => figuratives.get(word)

/** True for `END-IF` and the other explicit scope terminators. */
export const isTerminator = (word: string): boolean =>
  word.startsWith("END-") && (verbs.has(word.slice(4)) || word === "END-EXEC")

/** Verbs that many compilers do not reserve, so that older programs may use them as data names. */
export const softVerbs: ReadonlySet<string> = new Set(
  "ALLOCATE COMMIT DISABLE ENABLE EXHIBIT FREE INVOKE JSON PURGE RAISE READY RECEIVE RESET ROLLBACK SEND UNLOCK XML".split(
    " "
  )
)

/** True when the word has a meaning of its own, so that it cannot name a data item. */
export const isReserved = (word: string): boolean =>
  verbs.has(word) || keywords.has(word) || figuratives.has(word) || isTerminator(word)
