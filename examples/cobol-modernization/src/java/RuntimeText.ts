/** The Java text of the runtime's text part: groups, padding, comparison, STRING, UNSTRING and INSPECT. */
export const runtimeText = `
  /** A group item: named parts that together form one byte image. */
  public abstract static class Group {
    protected abstract void write(StringBuilder out);

    protected abstract void read(Image in);

    /** INITIALIZE: numbers become zero and texts become spaces, FILLER stays as it is. */
    protected abstract void initialize();

    public final String toText() {
      StringBuilder out = new StringBuilder();
      write(out);
      return out.toString();
    }

    public final void fromText(String text) {
      read(new Image(text));
    }

    /** The group as something to hand to another program. */
    public final Ref ref() {
      return reference(this::toText, this::fromText);
    }
  }

  /** Reads a byte image part after part; behind its end there are spaces. */
  public static final class Image {
    private final String text;
    private int position;

    public Image(String text) {
      this.text = text;
    }

    public String next(int length) {
      int end = Math.min(text.length(), position + length);
      String part = position < end ? text.substring(position, end) : "";
      position += length;
      return fit(part, length);
    }
  }

  /** A table filled with separately created groups. */
  public static <T> T[] filled(T[] table, Supplier<T> element) {
    for (int i = 0; i < table.length; i++) {
      table[i] = element.get();
    }
    return table;
  }

  public static <T> T[] filled(T[] table, T element) {
    Arrays.fill(table, element);
    return table;
  }

  public static int[] filled(int[] table, int element) {
    Arrays.fill(table, element);
    return table;
  }

  public static long[] filled(long[] table, long element) {
    Arrays.fill(table, element);
    return table;
  }

  public static double[] filled(double[] table, double element) {
    Arrays.fill(table, element);
    return table;
  }

  public static String spaces(int length) {
    return " ".repeat(length);
  }

  /** The text cut or padded with spaces on the right. */
  public static String fit(String text, int length) {
    return text.length() >= length ? text.substring(0, length) : text + " ".repeat(length - text.length());
  }

  /** The text cut or padded with spaces on the left, as JUSTIFIED RIGHT wants it. */
  public static String fitRight(String text, int length) {
    int excess = text.length() - length;
    return excess >= 0 ? text.substring(excess) : " ".repeat(-excess) + text;
  }

  /** A literal repeated to a length. */
  public static String fill(String literal, int length) {
    return literal.repeat(length / literal.length() + 1).substring(0, length);
  }

  /** The second text laid over the beginning of the first, whose length stays. */
  public static String overlay(String under, String over) {
    return over.length() >= under.length() ? over.substring(0, under.length()) : over + under.substring(over.length());
  }

  /** Reference modification; a length below zero means up to the end. */
  public static String part(String text, int start, int length) {
    int from = Math.min(Math.max(start - 1, 0), text.length());
    int to = length < 0 ? text.length() : Math.min(text.length(), from + length);
    return text.substring(from, to);
  }

  /** The text with the part that a reference modification names replaced. */
  public static String splice(String text, int start, int length, String value) {
    int from = Math.min(Math.max(start - 1, 0), text.length());
    int to = length < 0 ? text.length() : Math.min(text.length(), from + length);
    return text.substring(0, from) + fit(value, to - from) + text.substring(to);
  }

  /** Compares as COBOL does: the shorter text is continued with spaces. */
  public static int compareText(String left, String right) {
    int length = Math.max(left.length(), right.length());
    return Integer.signum(fit(left, length).compareTo(fit(right, length)));
  }

  /** Compares with a literal that is repeated to the length of the text. */
  public static int compareFill(String text, String literal) {
    return compareText(text, fill(literal, text.length()));
  }

  public static boolean isDigits(String text) {
    return text.chars().allMatch(c -> c >= '0' && c <= '9');
  }

  public static boolean isAlphabetic(String text) {
    return text.chars().allMatch(c -> c == ' ' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z');
  }

  public static boolean isUpper(String text) {
    return text.chars().allMatch(c -> c == ' ' || c >= 'A' && c <= 'Z');
  }

  public static boolean isLower(String text) {
    return text.chars().allMatch(c -> c == ' ' || c >= 'a' && c <= 'z');
  }

  public static String reverse(String text) {
    return new StringBuilder(text).reverse().toString();
  }

  /** FUNCTION TRIM; a text of spaces only keeps one of them. */
  public static String trim(String text) {
    String trimmed = text.replaceAll("^ +| +$", "");
    return trimmed.isEmpty() ? " " : trimmed;
  }

  public static String currentDate() {
    return LocalDateTime.now().format(DateTimeFormatter.ofPattern("yyyyMMddHHmmssSS")) + "+0000";
  }

  /** The receiving side of STRING. */
  public static final class Joiner {
    private String text;
    private long pointer;
    private boolean overflow;

    public Joiner(String target, long pointer) {
      this.text = target;
      this.pointer = pointer;
      this.overflow = pointer < 1 || pointer > target.length();
    }

    /** Appends the value up to its delimiter, or the whole value when the delimiter is null. */
    public void add(String value, String delimiter) {
      int end = delimiter == null ? -1 : value.indexOf(delimiter);
      String piece = end < 0 ? value : value.substring(0, end);
      if (overflow || piece.isEmpty()) {
        return;
      }
      int room = Math.min(piece.length(), text.length() - (int) pointer + 1);
      text = splice(text, (int) pointer, room, piece);
      pointer += room;
      overflow = room < piece.length();
    }

    public String text() {
      return text;
    }

    public BigDecimal pointer() {
      return num(pointer);
    }

    public boolean overflow() {
      return overflow;
    }
  }

  /** The sending side of UNSTRING. */
  public static final class Splitter {
    private final String text;
    private final List<String> delimiters = new ArrayList<>();
    private final List<Boolean> repeated = new ArrayList<>();
    private int position;
    private int count;
    private int fields;
    private String delimiter = "";
    private boolean overflow;

    public Splitter(String text, long pointer) {
      this.text = text;
      this.position = (int) pointer - 1;
      this.overflow = pointer < 1 || pointer > text.length();
    }

    public void delimiter(String value, boolean all) {
      delimiters.add(value);
      repeated.add(all);
    }

    /** The next field, or null when nothing is left; the size matters only without delimiters. */
    public String next(int size) {
      if (overflow || position >= text.length()) {
        return null;
      }
      int start = position;
      fields++;
      if (delimiters.isEmpty()) {
        position = Math.min(text.length(), start + size);
        count = position - start;
        return text.substring(start, position);
      }
      for (int i = start; i < text.length(); i++) {
        for (int d = 0; d < delimiters.size(); d++) {
          String value = delimiters.get(d);
          if (text.startsWith(value, i)) {
            delimiter = value;
            position = i + value.length();
            while (repeated.get(d) && text.startsWith(value, position)) {
              position += value.length();
            }
            count = i - start;
            return text.substring(start, i);
          }
        }
      }
      delimiter = "";
      position = text.length();
      count = position - start;
      return text.substring(start);
    }

    public String delimiter() {
      return delimiter;
    }

    public BigDecimal count() {
      return num(count);
    }

    public BigDecimal fields() {
      return num(fields);
    }

    public BigDecimal pointer() {
      return num(position + 1L);
    }

    public boolean overflow() {
      return overflow || position < text.length();
    }
  }

  private static int[] bounds(String text, String before, String after) {
    int from = 0;
    if (after != null) {
      int found = text.indexOf(after);
      from = found < 0 ? text.length() : found + after.length();
    }
    int to = before == null ? -1 : text.indexOf(before, from);
    return new int[] {from, to < 0 ? text.length() : to};
  }

  /** The number that one phrase of INSPECT TALLYING counts. */
  public static BigDecimal tally(String text, String kind, String value, String before, String after) {
    int[] bounds = bounds(text, before, after);
    if (kind.equals("CHARACTERS")) {
      return num(bounds[1] - bounds[0]);
    }
    String region = text.substring(bounds[0], bounds[1]);
    int found = 0;
    if (kind.equals("TRAILING")) {
      for (String rest = region; rest.endsWith(value); rest = rest.substring(0, rest.length() - value.length())) {
        found++;
      }
      return num(found);
    }
    int i = 0;
    while (i + value.length() <= region.length()) {
      boolean match = region.startsWith(value, i);
      if (match) {
        found++;
      } else if (kind.equals("LEADING")) {
        break;
      }
      i += match ? value.length() : 1;
    }
    return num(found);
  }

  /** The text after one phrase of INSPECT REPLACING. */
  public static String replace(String text, String kind, String value, String by, String before, String after) {
    int[] bounds = bounds(text, before, after);
    String region = text.substring(bounds[0], bounds[1]);
    String result;
    if (kind.equals("CHARACTERS")) {
      result = fill(by, region.length());
    } else {
      String wanted = fill(by, value.length());
      StringBuilder out = new StringBuilder();
      int i = 0;
      boolean active = true;
      while (i < region.length()) {
        boolean match = active && region.startsWith(value, i);
        out.append(match ? wanted : region.substring(i, i + 1));
        i += match ? value.length() : 1;
        active &= kind.equals("ALL") || kind.equals("FIRST") && !match || kind.equals("LEADING") && match;
      }
      result = out.toString();
    }
    return text.substring(0, bounds[0]) + result + text.substring(bounds[1]);
  }

  /** The text after INSPECT CONVERTING. */
  public static String convert(String text, String from, String to, String before, String after) {
    int[] bounds = bounds(text, before, after);
    StringBuilder out = new StringBuilder(text);
    for (int i = bounds[0]; i < bounds[1]; i++) {
      int place = from.indexOf(text.charAt(i));
      if (place >= 0 && place < to.length()) {
        out.setCharAt(i, to.charAt(place));
      }
    }
    return out.toString();
  }
`
