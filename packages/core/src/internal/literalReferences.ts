// What literal types of templates and conditions refer to, as far as it can be told for sure: of everything that is not
// known to be a reference nothing is said, since a plan checks it all.

type Lower =
  | "a"
  | "b"
  | "c"
  | "d"
  | "e"
  | "f"
  | "g"
  | "h"
  | "i"
  | "j"
  | "k"
  | "l"
  | "m"
  | "n"
  | "o"
  | "p"
  | "q"
  | "r"
  | "s"
  | "t"
  | "u"
  | "v"
  | "w"
  | "x"
  | "y"
  | "z"
type NameCharacter = Lower | Uppercase<Lower> | `${0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9}` | "_"
type Delimiter =
  | ""
  | " "
  | "\n"
  | "\t"
  | "\r"
  | "."
  | ","
  | ":"
  | "?"
  | "("
  | ")"
  | "["
  | "]"
  | "{"
  | "}"
  | "="
  | "!"
  | "<"
  | ">"
  | "&"
  | "|"
  | "+"
  | "-"
  | "*"
  | "/"
  | "%"
  | '"'
  | "'"

/** The name that a text begins with; nothing where the text is not known to its end. */
type NameAt<Text extends string, Name extends string = ""> = Text extends ""
  ? Name
  : Text extends `${infer First}${infer Rest}`
    ? First extends NameCharacter
      ? NameAt<Rest, `${Name}${First}`>
      : First extends Delimiter
        ? Name
        : never
    : never

/** The names that follow `Root.` in an expression without quotes. */
type AfterDot<
  Source extends string,
  Root extends string,
  Found = never
> = Source extends `${infer Before}${Root}.${infer Rest}`
  ? AfterDot<Rest, Root, Before extends `${string}${NameCharacter | "."}` ? Found : Found | NameAt<Rest>>
  : Found

/** A text that is known to its end. */
type Literal<Text extends string> = Record<never, never> extends Record<Text, 0> ? never : Text

/** The names that follow `Root` in brackets and quotes. */
type InBrackets<
  Source extends string,
  Root extends string,
  Found = never
> = Source extends `${infer Before}${Root}["${infer Name}"]${infer Rest}`
  ? InBrackets<Rest, Root, Before extends `${string}${NameCharacter | "."}` ? Found : Found | Literal<Name>>
  : Found

/** An expression with nothing left of its quoted texts; unknown where quotes are escaped or do not end. */
type Unquoted<Source extends string, Done extends string = ""> = Source extends `${string}\\${string}`
  ? ""
  : Source extends `${infer Before}"${infer Rest}`
    ? Before extends `${infer First}'${string}`
      ? Source extends `${First}'${string}'${infer After}`
        ? Unquoted<After, `${Done}${First}""`>
        : ""
      : Rest extends `${string}"${infer After}`
        ? Unquoted<After, `${Done}${Before}""`>
        : ""
    : Source extends `${infer Before}'${string}'${infer After}`
      ? Unquoted<After, `${Done}${Before}""`>
      : `${Done}${Source}`

/** The expressions in a text with `{{ }}`. */
type Expressions<
  Text extends string,
  Found = never
> = Text extends `${string}{{${infer Source}}}${infer Rest}` ? Expressions<Rest, Found | Source> : Found

type Depth = [never, 0, 1, 2, 3, 4, 5, 6, 7, 8]

/** The texts in a value whose type is known. */
type TextsIn<Value, Left extends number = 8> = [Left] extends [never]
  ? never
  : Value extends string
    ? Value
    : Value extends ReadonlyArray<infer Element>
      ? TextsIn<Element, Depth[Left]>
      : Value extends object
        ? TextsIn<Value[keyof Value], Depth[Left]>
        : never

/** The names that an expression has after `Root`, which is `steps` or `params`. */
type NamesIn<Source, Root extends string> = Source extends string
  ? string extends Source
    ? never
    : Exclude<AfterDot<Unquoted<Source>, Root>, ""> | InBrackets<Source, Root>
  : never

/** The names that conditions and templates have after `Root`, each `never` where its text is not a literal. */
export type NamesOf<Conditions, Templates, Root extends string> =
  | NamesIn<Conditions, Root>
  | NamesIn<Expressions<TextsIn<Templates>>, Root>
