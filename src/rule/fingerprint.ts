/** What kind of failure a text tells of: the same error of another rank, host, path or time has the same fingerprint. */

const replacements: ReadonlyArray<readonly [RegExp, string]> = [
  // Colours and other escapes of a terminal.
  // eslint-disable-next-line no-control-regex
  [/\u001b\[[0-9;]*[A-Za-z]/g, ""],
  // 2026-11-23T03:12:07.114Z, 2026/11/23 03:12:07, Nov 23 03:12:07, 03:12:07.
  [/\b\d{4}[-/]\d\d[-/]\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?)?/g, "<time>"],
  [/\b(?:(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) {1,2}\d{1,2} )?\d\d:\d\d:\d\d(?:[.,]\d+)?\b/g, "<time>"],
  // Addresses before paths and numbers, which are parts of them.
  [/\[?\b\d{1,3}(?:\.\d{1,3}){3}\b\]?(?:[:<|]\d+>?)?/g, "<host>"],
  [/\[[0-9a-fA-F]*:[0-9a-fA-F:.]+\](?::\d+)?/g, "<host>"],
  [/(?<![\w/.<])(?:\w+:\/)?\/?[\w.@%+~-]*(?:\/[\w.@%+~=-]+){2,}\/?/g, "<path>"],
  [/(?<![\w/.<])\/[\w.@%+~-]+\/?/g, "<path>"],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, "<hex>"],
  [/\b0x[0-9a-f]+\b/gi, "<hex>"],
  [/\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{8,}\b/gi, "<hex>"],
  // Cluster nodes: nid001234, lrdn0417.leonardo.local, gpu-a-12.cluster; and what is said to be one.
  [/\b[a-z][a-z-]+\d{3,}[\w-]*(?:\.[a-z][\w-]*)*/gi, "<host>"],
  [/\b[a-z][\w-]*\d[\w-]*(?:\.[a-z][\w-]*){2,}/gi, "<host>"],
  [/\b(node|host|hostname|peer)([ =:]+)(?!<)[\w.-]*\d[\w.-]*/gi, "$1$2<host>"],
  [/[-+]?(?:\d+\.\d*|\.?\d+)(?:e[-+]?\d+)?/gi, "<n>"],
  [/\s+/g, " "]
]

/** Longest fingerprint, in characters: what follows tells rarely more. */
const bound = 160

/**
 * The text with all in it replaced that differs from one failure to the next alike: numbers, hexadecimal, paths, hosts,
 * times. A function of the text alone; a fingerprint's own is itself.
 */
export const fingerprint = (text: string): string =>
  replacements.reduce((rest, [pattern, by]) => rest.replace(pattern, by), text.slice(0, 2048)).trim().slice(0, bound)
    .trim()
