/** The Java text of the runtime's control part: programs, the paragraph dispatcher, calls and ways to stop. */
export const runtimeControl = String.raw`
  /** Ends the whole run unit; carries the return code for the operating system. */
  public static final class StopRun extends RuntimeException {
    private static final long serialVersionUID = 1L;
    final int code;

    StopRun(int code) {
      super("STOP RUN", null, false, false);
      this.code = code;
    }
  }

  /** Ends the current program and gives control back to its caller. */
  public static final class Goback extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Goback() {
      super("GOBACK", null, false, false);
    }
  }

  /** Reports that control reached a statement that has no Java form yet. */
  public static final class NotTranslated extends RuntimeException {
    private static final long serialVersionUID = 1L;

    NotTranslated(String what) {
      super("not translated: " + what);
    }
  }

  /** How an input-output statement ended. */
  public enum Outcome { DONE, AT_END, INVALID_KEY, END_OF_PAGE }

  /** A piece of storage handed to another program, seen as its byte image. */
  public interface Ref {
    String get();

    void set(String text);
  }

  /** Storage passed BY REFERENCE. */
  public static Ref reference(Supplier<String> get, Consumer<String> set) {
    return new Ref() {
      @Override
      public String get() {
        return get.get();
      }

      @Override
      public void set(String text) {
        set.accept(text);
      }
    };
  }

  /** A value passed BY CONTENT: what the called program stores there is lost. */
  public static Ref content(String text) {
    return reference(() -> text, ignored -> {});
  }

  /** A COBOL program; its instance is its working storage. */
  public abstract static class Program {
    protected static final Numeric RETURN_CODE_PIC = numeric(9, 0, true, "BINARY", 4);
    /** Returned by the parts of a long paragraph: control goes on with the next part. */
    protected static final int NEXT_PART = Integer.MIN_VALUE;
    private static final int NO_END = -1;
    protected int returnCode;
    private boolean called;

    /** Runs one paragraph; the result is the next paragraph, or endOf(p) when it fell off the end of p. */
    protected abstract int step(int paragraph);

    protected abstract int paragraphCount();

    protected int firstParagraph() {
      return 0;
    }

    protected Ref[] parameters() {
      return new Ref[0];
    }

    /** PERFORM first THRU last: returns when control falls off the end of last, wherever it went before. */
    protected final void perform(int first, int last) {
      int next = first;
      for (;;) {
        if (next >= paragraphCount()) {
          throw new Goback();
        }
        int result = step(next);
        if (result >= 0) {
          next = result;
          continue;
        }
        int ended = -result - 1;
        if (ended == last) {
          return;
        }
        next = ended + 1;
      }
    }

    protected static int endOf(int paragraph) {
      return -paragraph - 1;
    }

    protected final StopRun stopRun() {
      return new StopRun(returnCode);
    }

    protected final Goback goback() {
      return new Goback();
    }

    /** EXIT PROGRAM: does nothing in a main program. */
    protected final void exitProgram() {
      if (called) {
        throw new Goback();
      }
    }

    /** Stands for a statement without a Java form; override it to attach files, SQL or CICS. */
    protected Outcome pending(String what) {
      throw new NotTranslated(what);
    }

    protected final boolean callable(String name) {
      return Programs.find(getClass(), name) != null;
    }

    protected final void call(String name, Ref... arguments) {
      Program program = Programs.find(getClass(), name);
      if (program == null) {
        throw new IllegalStateException("program " + name.trim() + " not found");
      }
      program.called = true;
      program.enter(arguments);
      returnCode = program.returnCode;
    }

    protected final void cancel(String name) {
      Programs.drop(name);
    }

    final void enter(Ref... arguments) {
      returnCode = 0;
      Ref[] formal = parameters();
      int shared = Math.min(formal.length, arguments.length);
      for (int i = 0; i < shared; i++) {
        formal[i].set(overlay(formal[i].get(), arguments[i].get()));
      }
      try {
        perform(firstParagraph(), NO_END);
      } catch (Goback end) {
        return;
      } finally {
        for (int i = 0; i < shared; i++) {
          arguments[i].set(overlay(arguments[i].get(), formal[i].get()));
        }
      }
    }
  }

  /** The programs of the run unit by their COBOL names; each keeps its storage until CANCEL. */
  public static final class Programs {
    private static final Map<String, Supplier<? extends Program>> KNOWN = new HashMap<>();
    private static final Map<String, Program> LOADED = new HashMap<>();

    private Programs() {}

    /** Makes a program available under a name, before the naming convention is tried. */
    public static void register(String name, Supplier<? extends Program> program) {
      KNOWN.put(name.trim().toUpperCase(Locale.ROOT), program);
    }

    static Program find(Class<?> caller, String name) {
      String key = name.trim().toUpperCase(Locale.ROOT);
      Program loaded = LOADED.get(key);
      if (loaded != null) {
        return loaded;
      }
      Supplier<? extends Program> known = KNOWN.get(key);
      Program found = known != null ? known.get() : load(caller, className(key));
      if (found == null) {
        found = load(caller, className(key) + "Program");
      }
      if (found != null) {
        LOADED.put(key, found);
      }
      return found;
    }

    static void drop(String name) {
      LOADED.remove(name.trim().toUpperCase(Locale.ROOT));
    }

    private static Program load(Class<?> caller, String simpleName) {
      try {
        Class<?> type = Class.forName(caller.getPackageName() + "." + simpleName);
        return (Program) type.getDeclaredConstructor().newInstance();
      } catch (ReflectiveOperationException | ClassCastException | NoClassDefFoundError missing) {
        return null;
      }
    }

    private static String className(String name) {
      StringBuilder out = new StringBuilder();
      for (String word : name.split("[^A-Z0-9]+")) {
        if (!word.isEmpty()) {
          out.append(word.charAt(0)).append(word.substring(1).toLowerCase(Locale.ROOT));
        }
      }
      return out.length() > 0 && Character.isDigit(out.charAt(0)) ? "P" + out : out.toString();
    }
  }

  /** Runs a main program and ends the Java process with its return code. */
  public static void start(Program program) {
    int code;
    try {
      program.enter();
      code = program.returnCode;
    } catch (StopRun end) {
      code = end.code;
    } finally {
      OUT.flush();
    }
    if (code != 0) {
      System.exit(code & 0xff);
    }
  }

  /** True; the compiler does not know it, so that code after it stays reachable. */
  public static boolean always() {
    return true;
  }

  /** The value, or null when it cannot be worked out, as after a division by zero. */
  public static BigDecimal attempt(Supplier<BigDecimal> value) {
    try {
      return value.get();
    } catch (ArithmeticException failed) {
      return null;
    }
  }

  /** A subscript as a Java index, checked against the size of the table. */
  public static int at(BigDecimal subscript, int size) {
    return at(subscript.longValue(), size);
  }

  public static int at(long subscript, int size) {
    if (subscript < 1 || subscript > size) {
      throw new IndexOutOfBoundsException("subscript " + subscript + " of a table of " + size);
    }
    return (int) subscript - 1;
  }

  public static void display(String... parts) {
    displayNoAdvancing(parts);
    OUT.print('\n');
  }

  public static void displayNoAdvancing(String... parts) {
    for (String part : parts) {
      OUT.print(part);
    }
  }

  /** What ACCEPT FROM gives for the clock. */
  public static String clock(String source) {
    LocalDateTime now = LocalDateTime.now();
    return switch (source) {
      case "DATE" -> now.format(DateTimeFormatter.ofPattern("yyMMdd"));
      case "DATE YYYYMMDD" -> now.format(DateTimeFormatter.ofPattern("yyyyMMdd"));
      case "DAY" -> now.format(DateTimeFormatter.ofPattern("yyDDD"));
      case "DAY YYYYDDD" -> now.format(DateTimeFormatter.ofPattern("yyyyDDD"));
      case "TIME" -> now.format(DateTimeFormatter.ofPattern("HHmmssSS"));
      case "DAY-OF-WEEK" -> String.valueOf(now.getDayOfWeek().getValue());
      default -> throw new NotTranslated("ACCEPT FROM " + source);
    };
  }

  /** One line of standard input for ACCEPT; empty at its end. */
  public static String acceptLine() {
    try {
      String line = IN.readLine();
      return line == null ? "" : line;
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }
`
