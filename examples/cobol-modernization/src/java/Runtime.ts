import { runtimeControl } from "./RuntimeControl.js"
import { runtimeEditing } from "./RuntimeEditing.js"
import { runtimeNumber } from "./RuntimeNumber.js"
import { runtimeText } from "./RuntimeText.js"

/** The file that every generated class of a package relies on. */
export interface RuntimeFile {
  readonly className: string
  readonly fileName: string
  readonly source: string
}

/** The runtime class as Java source; it is written once per package and depends on nothing but the JDK. */
export const runtimeFile = (packageName: string): RuntimeFile => ({
  className: "CobolRuntime",
  fileName: "CobolRuntime.java",
  source: `package ${packageName};

import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.nio.charset.StandardCharsets;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * What translated COBOL programs need from Java.
 *
 * <p>Control: the paragraphs of a program are numbered in source order. Each is a method that returns a
 * number: a GO TO returns the number of its target, and reaching the end of paragraph p returns
 * endOf(p). The dispatcher in {@link Program} runs paragraphs one after another; PERFORM A THRU B is a
 * nested dispatcher that starts at A and returns when the end of B is reached, so that fall-through,
 * GO TO out of and back into a range, and nested PERFORMs behave as in COBOL.
 *
 * <p>Data: every item is a typed field, and its byte image can be taken and set. Group moves, REDEFINES
 * and CALL go through these images, so that items of different shape share storage. Parameters are
 * copied into the called program and copied back when it returns. A numeric field always holds a number:
 * bytes that are no digits, moved there through a group, do not survive.
 */
public final class CobolRuntime {
  private static final PrintStream OUT =
      new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
  private static final BufferedReader IN =
      new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));

  private CobolRuntime() {}
${runtimeControl}${runtimeNumber}${runtimeText}${runtimeEditing}}
`
})
