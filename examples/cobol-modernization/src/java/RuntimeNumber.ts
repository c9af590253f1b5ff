/** The Java text of the runtime's numeric part: storage forms, truncation, rounding and arithmetic. */
export const runtimeNumber = `
  /** The number format of one data item: what fits in, how it is stored and how it is shown. */
  public static final class Numeric {
    private final int digits;
    private final int scale;
    private final boolean signed;
    private final String usage;
    private final int size;
    private final BigDecimal limit;

    private Numeric(int digits, int scale, boolean signed, String usage, int size) {
      this.digits = digits;
      this.scale = scale;
      this.signed = signed;
      this.usage = usage;
      this.size = size;
      this.limit = BigDecimal.ONE.scaleByPowerOfTen(digits - scale);
    }

    public int size() {
      return size;
    }

    /** The value as this item keeps it: excess digits are cut on both sides, the sign only if it has one. */
    public BigDecimal toDecimal(BigDecimal value) {
      BigDecimal cut = value.setScale(scale, RoundingMode.DOWN);
      if (usage.equals("COMP-5")) {
        return new BigDecimal(wrap(cut.unscaledValue()), scale);
      }
      if (!signed) {
        cut = cut.abs();
      }
      return cut.abs().compareTo(limit) < 0 ? cut : cut.remainder(limit).setScale(scale, RoundingMode.DOWN);
    }

    public int toInt(BigDecimal value) {
      return toDecimal(value).intValue();
    }

    public long toLong(BigDecimal value) {
      return toDecimal(value).longValue();
    }

    /** ROUNDED: to the nearest value that this item can hold, halves away from zero. */
    public BigDecimal round(BigDecimal value) {
      return value == null ? null : value.setScale(scale, RoundingMode.HALF_UP);
    }

    /** Whether the value goes in without a size error. */
    public boolean holds(BigDecimal value) {
      if (value == null) {
        return false;
      }
      BigDecimal cut = value.setScale(scale, RoundingMode.DOWN);
      if (usage.equals("COMP-5")) {
        return wrap(cut.unscaledValue()).equals(cut.unscaledValue());
      }
      return cut.abs().compareTo(limit) < 0;
    }

    private BigInteger wrap(BigInteger value) {
      BigInteger modulus = BigInteger.ONE.shiftLeft(size * 8);
      BigInteger rest = value.mod(modulus);
      return signed && rest.testBit(size * 8 - 1) ? rest.subtract(modulus) : rest;
    }

    /** The digits without sign and decimal point, as a MOVE to an alphanumeric item takes them. */
    public String digits(BigDecimal value) {
      String text = value.setScale(scale, RoundingMode.DOWN).unscaledValue().abs().toString();
      return text.length() >= digits ? text : "0".repeat(digits - text.length()) + text;
    }

    public String digits(long value) {
      return digits(BigDecimal.valueOf(value));
    }

    public String display(BigDecimal value) {
      String text = digits(value);
      if (scale > 0) {
        text = text.length() < scale ? "0".repeat(scale - text.length()) + text : text;
        text = text.substring(0, text.length() - scale) + "." + text.substring(text.length() - scale);
      } else if (scale < 0) {
        text = text + "0".repeat(-scale);
      }
      if (!signed) {
        return text;
      }
      String sign = value.signum() < 0 ? "-" : "+";
      return usage.equals("DISPLAY_SEPARATE") ? text + sign : sign + text;
    }

    public String display(long value) {
      return display(BigDecimal.valueOf(value));
    }

    public String encode(long value) {
      return encode(BigDecimal.valueOf(value));
    }

    /** The bytes of the value in this item's storage form, one character each. */
    public String encode(BigDecimal value) {
      BigInteger whole = value.setScale(scale, RoundingMode.DOWN).unscaledValue();
      return switch (usage) {
        case "COMP-3", "COMP-6" -> encodePacked(whole);
        case "BINARY", "COMP-5", "COMP-X", "INDEX" -> encodeBinary(whole);
        default -> encodeDisplay(value, whole.signum() < 0);
      };
    }

    private String encodePacked(BigInteger whole) {
      boolean hasSign = usage.equals("COMP-3");
      int nibbles = size * 2 - (hasSign ? 1 : 0);
      String text = whole.abs().toString();
      text = fitRight(text, nibbles).replace(' ', '0');
      if (hasSign) {
        text += signed ? (whole.signum() < 0 ? "d" : "c") : "f";
      }
      StringBuilder out = new StringBuilder();
      for (int i = 0; i < text.length(); i += 2) {
        out.append((char) Integer.parseInt(text.substring(i, i + 2), 16));
      }
      return out.toString();
    }

    private String encodeBinary(BigInteger whole) {
      StringBuilder out = new StringBuilder();
      for (int i = size - 1; i >= 0; i--) {
        out.append((char) (whole.shiftRight(i * 8).intValue() & 0xff));
      }
      return out.toString();
    }

    private String encodeDisplay(BigDecimal value, boolean negative) {
      String text = digits(value);
      if (usage.endsWith("SEPARATE")) {
        String sign = negative ? "-" : "+";
        return usage.contains("LEADING") ? sign + text : text + sign;
      }
      if (!signed || !negative) {
        return text;
      }
      int place = usage.contains("LEADING") ? 0 : text.length() - 1;
      return splice(text, place + 1, 1, String.valueOf((char) (text.charAt(place) + 0x40)));
    }

    /** The value that a byte image stands for; bytes that are no digits count by their low half. */
    public BigDecimal decode(String image) {
      String text = fit(image, size);
      BigInteger whole = switch (usage) {
        case "COMP-3", "COMP-6" -> decodePacked(text);
        case "BINARY", "COMP-5", "COMP-X", "INDEX" -> decodeBinary(text);
        default -> decodeDisplay(text);
      };
      return new BigDecimal(whole, scale);
    }

    public int decodeInt(String image) {
      return decode(image).intValue();
    }

    public long decodeLong(String image) {
      return decode(image).longValue();
    }

    private BigInteger decodePacked(String text) {
      boolean hasSign = usage.equals("COMP-3");
      BigInteger whole = BigInteger.ZERO;
      int nibbles = text.length() * 2 - (hasSign ? 1 : 0);
      for (int i = 0; i < nibbles; i++) {
        int unit = text.charAt(i / 2);
        int nibble = (i % 2 == 0 ? unit >> 4 : unit) & 0xf;
        whole = whole.multiply(BigInteger.TEN).add(BigInteger.valueOf(nibble % 10));
      }
      boolean negative = hasSign && (text.charAt(text.length() - 1) & 0xf) == 0xd;
      return negative ? whole.negate() : whole;
    }

    private BigInteger decodeBinary(String text) {
      BigInteger whole = BigInteger.ZERO;
      for (int i = 0; i < text.length(); i++) {
        whole = whole.shiftLeft(8).or(BigInteger.valueOf(text.charAt(i) & 0xff));
      }
      return wrap(whole);
    }

    private BigInteger decodeDisplay(String text) {
      BigInteger whole = BigInteger.ZERO;
      boolean negative = false;
      for (int i = 0; i < text.length(); i++) {
        char c = text.charAt(i);
        if (c == '-' || c == '+') {
          negative |= c == '-';
          continue;
        }
        negative |= signed && c >= 0x70 && c <= 0x79;
        whole = whole.multiply(BigInteger.TEN).add(BigInteger.valueOf((c & 0xf) % 10));
      }
      return negative ? whole.negate() : whole;
    }

    /** The class test NUMERIC on a byte image. */
    public boolean isNumeric(String image) {
      if (!usage.equals("DISPLAY")) {
        return true;
      }
      String text = image;
      char last = text.isEmpty() ? ' ' : text.charAt(text.length() - 1);
      if (signed && last >= 0x70 && last <= 0x79) {
        text = text.substring(0, text.length() - 1);
      }
      return text.chars().allMatch(c -> c >= '0' && c <= '9');
    }
  }

  public static Numeric numeric(int digits, int scale, boolean signed, String usage, int size) {
    return new Numeric(digits, scale, signed, usage, size);
  }

  public static BigDecimal num(long value) {
    return BigDecimal.valueOf(value);
  }

  public static BigDecimal num(String literal) {
    return new BigDecimal(literal);
  }

  public static BigDecimal num(double value) {
    return BigDecimal.valueOf(value);
  }

  public static BigDecimal divide(BigDecimal left, BigDecimal right) {
    return left.divide(right, Math.max(40, left.scale()), RoundingMode.DOWN);
  }

  public static BigDecimal power(BigDecimal base, BigDecimal exponent) {
    BigDecimal whole = exponent.setScale(0, RoundingMode.DOWN);
    if (whole.compareTo(exponent) != 0 || whole.abs().compareTo(BigDecimal.valueOf(9999)) > 0) {
      double result = Math.pow(base.doubleValue(), exponent.doubleValue());
      if (Double.isNaN(result) || Double.isInfinite(result)) {
        throw new ArithmeticException("power");
      }
      return BigDecimal.valueOf(result);
    }
    BigDecimal result = base.pow(whole.abs().intValue());
    return whole.signum() < 0 ? divide(BigDecimal.ONE, result) : result;
  }

  /** The number in a text: digits, a decimal point and signs count, editing characters do not. */
  public static BigDecimal parse(String text) {
    StringBuilder digits = new StringBuilder();
    boolean negative = text.contains("-") || text.endsWith("CR") || text.endsWith("DB");
    int point = -1;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c >= '0' && c <= '9') {
        digits.append(c);
      } else if (c == '.' && point < 0) {
        point = digits.length();
      }
    }
    if (digits.length() == 0) {
      return BigDecimal.ZERO;
    }
    BigInteger whole = new BigInteger(digits.toString());
    return new BigDecimal(negative ? whole.negate() : whole, point < 0 ? 0 : digits.length() - point);
  }

  /** The byte image of a floating-point item of 4 or 8 bytes. */
  public static String encodeFloat(double value, int size) {
    long bits = size == 4 ? Float.floatToIntBits((float) value) : Double.doubleToLongBits(value);
    StringBuilder out = new StringBuilder();
    for (int i = size - 1; i >= 0; i--) {
      out.append((char) (bits >>> (i * 8) & 0xff));
    }
    return out.toString();
  }

  public static double decodeFloat(String image) {
    long bits = 0;
    for (int i = 0; i < image.length(); i++) {
      bits = bits << 8 | image.charAt(i) & 0xff;
    }
    return image.length() == 4 ? Float.intBitsToFloat((int) bits) : Double.longBitsToDouble(bits);
  }

  public static String displayFloat(double value) {
    return value == Math.rint(value) && Math.abs(value) < 1e15
        ? String.valueOf((long) value)
        : String.valueOf(value);
  }

  public static BigDecimal remainder(BigDecimal left, BigDecimal right) {
    return left.subtract(right.multiply(integer(divide(left, right))));
  }

  /** FUNCTION MOD, whose result has the sign of the divisor. */
  public static BigDecimal modulo(BigDecimal left, BigDecimal right) {
    BigDecimal quotient = divide(left, right).setScale(0, RoundingMode.FLOOR);
    return left.subtract(right.multiply(quotient));
  }

  public static BigDecimal integer(BigDecimal value) {
    return value.setScale(0, RoundingMode.DOWN);
  }

  public static BigDecimal floor(BigDecimal value) {
    return value.setScale(0, RoundingMode.FLOOR);
  }
`
