/**
 * Ids of the SPDX License List that packages of the ecosystems slipway builds really use. Both formats refuse ids that are not on
 * that list, so only these are printed as ids; anything else is printed as a name.
 */
const KNOWN = new Set(
  `0BSD AFL-2.1 AFL-3.0 AGPL-3.0-only AGPL-3.0-or-later Apache-1.1 Apache-2.0 Artistic-1.0-Perl Artistic-2.0 BlueOak-1.0.0
  BSD-1-Clause BSD-2-Clause BSD-3-Clause BSD-4-Clause BSL-1.0 bzip2-1.0.6 CC-BY-3.0 CC-BY-4.0 CC-BY-SA-4.0 CC0-1.0 CDDL-1.0 CDDL-1.1
  CPL-1.0 curl EPL-1.0 EPL-2.0 EUPL-1.2 FSFAP FTL GFDL-1.3-or-later GPL-1.0-or-later GPL-2.0-only GPL-2.0-or-later GPL-3.0-only
  GPL-3.0-or-later HPND ICU IJG IPL-1.0 ISC LGPL-2.0-only LGPL-2.0-or-later LGPL-2.1-only LGPL-2.1-or-later LGPL-3.0-only LGPL-3.0-or-later
  Libpng MIT MIT-0 MPL-1.1 MPL-2.0 MS-PL NCSA OFL-1.1 OpenSSL PHP-3.01 PostgreSQL PSF-2.0 Python-2.0 Ruby TCL Unicode-3.0 Unicode-DFS-2016
  Unlicense UPL-1.0 Vim W3C WTFPL X11 Zlib zlib-acknowledgement ZPL-2.1`.split(/\s+/),
)

const EXCEPTIONS = new Set(
  'Classpath-exception-2.0 GCC-exception-3.1 GCC-exception-2.0 LLVM-exception OpenJDK-assembly-exception-1.0 Autoconf-exception-3.0'.split(
    ' ',
  ),
)

/** True for an id of the SPDX License List that slipway knows. */
export function isLicenseId(text: string): boolean {
  return KNOWN.has(text)
}

/** True for an SPDX license expression (SPDX 2.3 annex D) all of whose ids are known. */
export function isLicenseExpression(text: string): boolean {
  if (text.length > 500) return false
  const words = text.match(/[()]|[^\s()]+/g) ?? []
  return expressionEnd(words, 0) === words.length && words.length > 0
}

/** Where the expression that begins at a word ends; -1 where there is none. */
function expressionEnd(words: readonly string[], start: number): number {
  let end = termEnd(words, start)
  while (end >= 0 && (words[end] === 'AND' || words[end] === 'OR')) end = termEnd(words, end + 1)
  return end
}

function termEnd(words: readonly string[], start: number): number {
  if (words[start] === '(') {
    const end = expressionEnd(words, start + 1)
    return end >= 0 && words[end] === ')' ? end + 1 : -1
  }
  if (!KNOWN.has(words[start] ?? '')) return -1
  if (words[start + 1] !== 'WITH') return start + 1
  return EXCEPTIONS.has(words[start + 2] ?? '') ? start + 3 : -1
}
