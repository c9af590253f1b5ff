/** The Java text of the runtime's picture editing. */
export const runtimeEditing = String.raw`
  /** A number in the form of a numeric-edited PICTURE without repetition counts. */
  public static String edit(BigDecimal value, String picture, boolean blankWhenZero) {
    char floating = 0;
    for (char candidate : new char[] {'$', '+', '-'}) {
      if (picture.chars().filter(c -> c == candidate).count() > 1) {
        floating = candidate;
      }
    }
    int whole = 0;
    int fraction = 0;
    boolean behindPoint = false;
    boolean first = true;
    for (char c : picture.toCharArray()) {
      if (c == '.' || c == 'V') {
        behindPoint = true;
      } else if (c == '9' || c == 'Z' || c == '*' || c == floating && !first) {
        whole += behindPoint ? 0 : 1;
        fraction += behindPoint ? 1 : 0;
      }
      first &= c != floating;
    }
    BigInteger amount = value.setScale(fraction, RoundingMode.DOWN).unscaledValue();
    BigInteger kept = amount.abs().mod(BigInteger.TEN.pow(whole + fraction));
    boolean negative = amount.signum() < 0 && kept.signum() != 0;
    boolean suppressible = picture.indexOf('9') < 0;
    if (kept.signum() == 0 && (blankWhenZero || suppressible && picture.indexOf('*') < 0)) {
      return spaces(picture.replace("V", "").length());
    }
    if (kept.signum() == 0 && suppressible) {
      return picture.replace("V", "").replaceAll("[^.]", "*");
    }
    String digits = fitRight(kept.toString(), whole + fraction).replace(' ', '0');
    return editDigits(digits, picture, floating, negative);
  }

  /** As edit, where DECIMAL-POINT IS COMMA: the point and the comma change places. */
  public static String editComma(BigDecimal value, String picture, boolean blankWhenZero) {
    return exchanged(edit(value, exchanged(picture), blankWhenZero));
  }

  private static String exchanged(String text) {
    return text.replace('.', '\t').replace(',', '.').replace('\t', ',');
  }

  private static String editDigits(String digits, String picture, char floating, boolean negative) {
    StringBuilder out = new StringBuilder();
    String symbol = floating == '$' ? "$" : negative ? "-" : floating == '+' ? "+" : " ";
    boolean started = false;
    boolean suppressing = false;
    boolean firstFloat = true;
    char blank = ' ';
    int next = 0;
    for (int i = 0; i < picture.length(); i++) {
      char c = picture.charAt(i);
      boolean starts = false;
      if (c == floating && firstFloat) {
        firstFloat = false;
        suppressing = true;
        out.append(' ');
        continue;
      }
      if (c == '9' || c == 'Z' || c == '*' || c == floating) {
        char digit = digits.charAt(next++);
        starts = !started && (c == '9' || digit != '0');
        suppressing |= c != '9';
        blank = c == '*' ? '*' : blank;
        if (starts) {
          placeSymbol(out, floating, symbol);
          started = true;
        }
        out.append(started ? digit : blank);
      } else if (c == 'V' || c == '.') {
        if (!started) {
          placeSymbol(out, floating, symbol);
          started = true;
        }
        out.append(c == 'V' ? "" : ".");
      } else if (c == ',' || c == 'B' && !picture.startsWith("DB", i - 1) || c == '0' || c == '/') {
        boolean hidden = suppressing && !started;
        out.append(hidden ? blank : c == 'B' ? ' ' : c);
      } else if (c == '+') {
        out.append(negative ? '-' : '+');
      } else if (c == '-') {
        out.append(negative ? '-' : ' ');
      } else if (c == 'C' || c == 'R' || c == 'D' || c == 'B') {
        out.append(negative ? c : ' ');
      } else {
        out.append(c);
      }
    }
    return out.toString();
  }

  private static void placeSymbol(StringBuilder out, char floating, String symbol) {
    if (floating != 0 && out.length() > 0) {
      out.setCharAt(out.length() - 1, symbol.charAt(0));
    }
  }

  /** A text in the form of an alphanumeric-edited PICTURE without repetition counts. */
  public static String editText(String text, String picture) {
    StringBuilder out = new StringBuilder();
    int next = 0;
    for (char c : picture.toCharArray()) {
      if (c == 'B') {
        out.append(' ');
      } else if (c == '0' || c == '/') {
        out.append(c);
      } else {
        out.append(next < text.length() ? text.charAt(next) : ' ');
        next++;
      }
    }
    return out.toString();
  }
`
