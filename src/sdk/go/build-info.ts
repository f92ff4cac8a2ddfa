import { readFile } from 'node:fs/promises'
import type { Component } from '#bom'
import { goModulePurl } from './purl.ts'

/** A module that is part of a program. */
export interface GoModuleInfo {
  readonly path: string
  /** `(devel)` for what was built from its own source. */
  readonly version: string
}

/** What a program of Go says of itself, as `go version -m` prints it. */
export interface GoBuildInfo {
  /** The Go that linked it, `go1.26.8`. */
  readonly go: string
  /** The import path of its main package. */
  readonly path: string
  /** The module of that package. */
  readonly main?: GoModuleInfo
  /** All other modules that it was linked with; a replaced one is the one that took its place. */
  readonly modules: readonly GoModuleInfo[]
}

const MAGIC = Buffer.from('\xff Go buildinf:', 'latin1')
const ALIGNMENT = 16
const HEADER = 32
/** The bit of the flags byte that says that both texts follow the header (Go 1.18 and newer). */
const INLINE = 2
/** The module text stands between two markers of that many bytes. */
const MARKER = 16

/**
 * Reads the build information that the Go linker leaves in a program (package `debug/buildinfo`). `undefined` for a file that has none, or that a Go older
 * than 1.18 made.
 */
export async function readGoBuildInfo(file: string): Promise<GoBuildInfo | undefined> {
  return parseGoBuildInfo(await readFile(file))
}

/** The same for the bytes of a program. */
export function parseGoBuildInfo(program: Buffer): GoBuildInfo | undefined {
  for (let at = program.indexOf(MAGIC); at >= 0; at = program.indexOf(MAGIC, at + 1)) {
    if (at % ALIGNMENT !== 0 || ((program[at + MAGIC.length + 1] ?? 0) & INLINE) === 0) continue
    const version = textAt(program, at + HEADER)
    const modules = version && textAt(program, version.end)
    if (version && modules) return parsed(version.bytes.toString('utf8'), modules.bytes)
  }
  return undefined
}

/** A text after its length as a varint. */
function textAt(program: Buffer, start: number): { bytes: Buffer; end: number } | undefined {
  let length = 0
  let at = start
  for (let shift = 0; shift <= 28; shift += 7) {
    const byte = program[at++]
    if (byte === undefined) return undefined
    length |= (byte & 0x7f) << shift
    if (byte < 0x80) {
      const end = at + length
      return length < 0 || end > program.length ? undefined : { bytes: program.subarray(at, end), end }
    }
  }
  return undefined
}

function parsed(go: string, marked: Buffer): GoBuildInfo {
  const text = marked.length > 2 * MARKER ? marked.subarray(MARKER, -MARKER).toString('utf8') : ''
  let path = ''
  let main: GoModuleInfo | undefined
  const modules: GoModuleInfo[] = []
  for (const line of text.split('\n')) {
    const [kind, name = '', version = ''] = line.split('\t')
    if (kind === 'path') path = name
    else if (kind === 'mod') main = { path: name, version }
    else if (kind === 'dep') modules.push({ path: name, version })
    else if (kind === '=>') {
      const replaced = modules.pop()
      // A replacement by a directory has no version, and is still the module of that name.
      if (replaced)
        modules.push(version === '' ? { ...replaced, version: '(devel)' } : { path: name, version })
    }
  }
  return { go, path, ...(main && { main }), modules }
}

/** Everything that programs are made of, for bills of materials, each once: their own modules, the standard library, and all others. */
export function componentsOfGo(programs: readonly GoBuildInfo[]): Component[] {
  const found = new Map<string, Component>()
  const add = (component: Component) => found.set(`${component.name}@${component.version}`, component)
  for (const { main } of programs) if (main) add(componentOf(main, 'application'))
  for (const { go } of programs) add(standardLibrary(go))
  for (const { modules } of programs) for (const module of modules) add(componentOf(module, 'library'))
  return [...found.values()]
}

function componentOf({ path, version }: GoModuleInfo, type: Component['type']): Component {
  const known = version === '(devel)' ? '' : version
  return { type, name: path, version: known, purl: goModulePurl(path, known) }
}

function standardLibrary(go: string): Component {
  const version = /^go(\d[\w.]*)/.exec(go)?.[1] ?? ''
  return {
    type: 'library',
    name: 'stdlib',
    version,
    purl: goModulePurl('stdlib', version),
    cpes: [`cpe:2.3:a:golang:go:${version || '*'}:*:*:*:*:*:*:*`],
    licenses: ['BSD-3-Clause'],
  }
}
