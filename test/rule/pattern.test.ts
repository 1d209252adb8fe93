import * as Either from "effect/Either"
import { describe, expect, it } from "vitest"
import { compilePattern } from "../../src/rule/pattern.ts"

/** The whole match and Python's groups, or null. */
const search = (pattern: string, text: string): ReadonlyArray<string | undefined> | null => {
  const { groups, regex } = Either.getOrThrow(compilePattern(pattern))
  const found = regex.exec(text)
  return found === null ? null : [found[0], ...groups.map((name) => found.groups?.[name])]
}

describe("a Python pattern finds what re.search finds", () => {
  /** Pattern, text, and what CPython 3.11 answered: the whole match and its groups, or null. */
  it.each<[string, string, ReadonlyArray<string | undefined> | null]>([
    [String.raw`saved checkpoint (?P<path>\S+)`, "saved checkpoint /a/b", ["saved checkpoint /a/b", "/a/b"]],
    [String.raw`(?P<q>['"]).*?(?P=q)`, `x 'a"b' y`, [`'a"b'`, "'"]],
    ["(?i)cuda OUT", "CUDA out", ["CUDA out"]],
    ["(?im)^b$", "A\nB\nC", ["B"]],
    ["(?i)(?s)a.b", "A\nB", ["A\nB"]],
    ["a.b", "a\nb", null],
    ["a.b", "a\rb", ["a\rb"]],
    [String.raw`\Aab\Z`, "ab", ["ab"]],
    [String.raw`ab\Z`, "ab\n", null],
    ["ab$", "ab\n", ["ab"]],
    ["ab$", "ab\nc", null],
    ["(?m)b$", "ab\nc", ["b"]],
    ["(?#a comment)a(?#(another)b", "ab", ["ab"]],
    [String.raw`\[[\d\-\s:.]+\] iteration\s+(\d+)/\s*(\d+)`, " [2026-03-14 09:26:53.58] iteration  12/  20 |", [
      "[2026-03-14 09:26:53.58] iteration  12/  20",
      "12",
      "20"
    ]],
    [String.raw`[\w.-]+`, "a-b.c d", ["a-b.c"]],
    ["[]a]+", "x]a]", ["]a]"]],
    ["[^]a]+", "]ab]", ["b"]],
    ["[a-c&&d]+", "&&d", ["&&d"]],
    ["[[:alpha:]]+", "a]", ["a]"]],
    [String.raw`[\]\[\\^]+`, "a]\\^[", ["]\\^["]],
    [String.raw`[\W_]+`, "ab_-+c", ["_-+"]],
    [String.raw`[^\W\d]+`, "12ab_3", ["ab_"]],
    [String.raw`[\b]`, "a\bc", ["\b"]],
    [String.raw`\_\-\ \"\/\#\%\é`, `_- "/#%é`, [`_- "/#%é`]],
    ["{a}", "{a}", ["{a}"]],
    ["a{x}", "a{x}", ["a{x}"]],
    ["a{,2}b", "aaab", ["aab"]],
    ["a{2,}", "aaaa", ["aaaa"]],
    ["a{2}?", "aaaa", ["aa"]],
    ["a{,}b", "aab", ["aab"]],
    ["{", "{", ["{"]],
    ["a]b}", "a]b}", ["a]b}"]],
    [String.raw`\x41\u0042\U00000043\103\0`, "ABCC\0", ["ABCC\0"]],
    [String.raw`(a)(b)\2\1`, "abba", ["abba", "a", "b"]],
    [String.raw`\bé\b`, "é", ["é"]],
    [String.raw`\bcaf\b`, "café", null],
    [String.raw`\Bf`, "caf", ["f"]],
    [String.raw`\w+`, "añb-c", ["añb"]],
    [String.raw`(?a)\w+`, "añb-c", ["a"]],
    [String.raw`\d+`, "x٣4", ["٣4"]],
    [String.raw`a\sb`, "a\u00a0b", ["a\u00a0b"]],
    [String.raw`a\sb`, "a\ufeffb", null],
    ["(?s:a.)b.", "a\nb\n", null],
    ["(?s)a.+", "a\nb\n", ["a\nb\n"]],
    ["(?s:a.)b.", "a\nbc", ["a\nbc"]],
    ["😀.", "a😀😀", ["😀😀"]],
    ["(?<!Out)MemoryError", "OutMemoryError", null],
    ["(?<=a)b(?!c)(?=d)", "abd", ["b"]],
    ["", "abc", [""]],
    ["a||b", "x", [""]],
    ["a@b=c<d>e!f;g,h~i`j'k", "a@b=c<d>e!f;g,h~i`j'k", ["a@b=c<d>e!f;g,h~i`j'k"]],
    ["a++b", "aaab", ["aaab"]],
    ["a++a", "aaa", null],
    ["a*+a", "aaa", null],
    ["a?+a", "a", null],
    ["a{1,2}+a", "aa", null],
    ["a{1,2}+a", "aaa", ["aaa"]],
    ["(?>a+)b(c)", "aabc", ["aabc", "c"]],
    ["(?>a|ab)c", "abc", null],
    ["(x)(?>(a)|b)(c)\\3", "xacc", ["xacc", "x", "a", "c"]],
    ["(?:(a)\\1)++b", "aaaab", ["aaaab", "a"]],
    ["(a|b)++(c)\\2", "abcc", ["abcc", "b", "c"]],
    ["a(?i:b[c-d])E", "aBDE", ["aBDE"]],
    ["a(?i:b)", "AB", null],
    ["(?i)a(?-i:b)", "Ab", ["Ab"]],
    ["(?i)a(?-i:b)", "AB", null],
    ["(?i:[^a])", "A", null],
    ["(?i:straße)", "STRASSE", null],
    ["(?i:é)", "É", ["É"]],
    ["(?x) a b # c\n [ #]", "ab#", ["ab#"]],
    ["(?x: a b ) c", "ab c", ["ab c"]],
    ["(?x)a\\ b", "a b", ["a b"]],
    ["(?x) a +", "aa", ["aa"]],
    ["(?P<n>a)(?P<m>b)(?P=m)\\1", "abba", ["abba", "a", "b"]],
    ["(?i:k)", "K", ["K"]],
    ["(?im:^b$)", "A\nB\nC", ["B"]],
    ["(?<=(?i:ab))c", "ABc", ["c"]],
    ["(?i-s:a).b", "A\nb", null]
  ])(
    "%j in %j",
    (pattern, text, expected) => expect(search(pattern, text)).toEqual(expected)
  )
})

describe("a pattern that does not fit", () => {
  it.each([
    ["a(b", 2, "This \"(\" is not closed; write \"\\(\" for the character."],
    ["a)b", 2, "This \")\" closes nothing; write \"\\)\" for the character."],
    ["ab[cd", 3, "This \"[\" is not closed."],
    ["*a", 1, "There is nothing that \"*\" could repeat."],
    ["a**", 3, "There is nothing that \"*\" could repeat."],
    ["a(?:+)", 5, "There is nothing that \"+\" could repeat."],
    ["(a)(?(1)b)", 4, "Conditional groups, \"(?(…)…)\", are not supported."],
    ["a(?i)b", 2, "\"(?i)\" stands only at the beginning of a pattern."],
    ["(?<n>a)", 1, "A named group is written \"(?P<name>…)\"."],
    ["(?P<1n>a)", 1, "\"1n\" is no name of a group."],
    ["ab\\", 3, "The pattern ends with a single \"\\\"."],
    ["a\\q", 2, "\"\\q\" is no escape of Python's patterns."],
    ["[z-a]", 2, "\"z-a\" is no range of characters."],
    ["[\\w-a]", 2, "\"\\w-a\" is no range of characters."],
    ["(?<=a++)b", 6, "Atomic groups and possessive repeats are not supported within a look-behind."],
    ["(?<!(?>a))b", 5, "Atomic groups and possessive repeats are not supported within a look-behind."],
    ["(?i:(a)\\1)", 8, "A reference to a group is not supported where the flag i holds for a part only."],
    ["a+++", 4, "There is nothing that \"+\" could repeat."],
    ["(a)\\2", 4, "There is no group 2 before this place."],
    ["(a\\1)", 3, "A group cannot refer to itself."],
    ["(?P=a)", 1, "There is no group \"a\" before this place."],
    ["(?P<a>x)(?P<a>y)", 9, "There are two groups \"a\"."],
    ["(?L)a", 1, "The flag L is for bytes and does not fit text."],
    ["(?q:a)", 1, "\"(?q\" holds a flag that Python does not know."],
    ["\\N{BULLET}", 1, "\"\\N\" is no escape of Python's patterns."],
    ["a{3,2}", 2, "\"{3,2}\" counts downwards."]
  ])("%j points to column %i", (pattern, column, message) => {
    expect(Either.getOrThrow(Either.flip(compilePattern(pattern)))).toMatchObject({ column, message })
  })
})
