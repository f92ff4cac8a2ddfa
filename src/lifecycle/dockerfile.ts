import { extensionUnsupported, extensionWroteNonsense } from './problems.ts'

/** An instruction of a Dockerfile, with the number of the line where it begins. */
interface Instruction {
  readonly line: number
  readonly text: string
}

const BASE_IMAGE = /^\$(?:base_image|\{base_image\})$/
const REFERENCE = /^[A-Za-z0-9][A-Za-z0-9._:/@-]*$/

/**
 * Reads a run.Dockerfile that does nothing but choose the base: comments, `ARG base_image` and one `FROM` (CNB image extension specification).
 * Gives the reference of the image that it switches to; `undefined` where it keeps the base. Throws a `Problem` with exit code 92:
 * `EXTENSION_UNSUPPORTED` names the line of any other instruction.
 */
export function switchedBase(text: string, extension: string, file: string): string | undefined {
  let from: Instruction | undefined
  for (const instruction of instructionsOf(text)) {
    const words = instruction.text.split(/[ \t]+/)
    const name = words[0]?.toUpperCase()
    if (name === 'ARG' && !from && words.length === 2 && /^base_image(?:=|$)/.test(words[1] ?? '')) continue
    const plain = words.length === 2 || (words.length === 4 && words[2]?.toUpperCase() === 'AS')
    if (name === 'FROM' && !from && plain && isBase(words[1] ?? '')) {
      from = { line: instruction.line, text: words[1] ?? '' }
      continue
    }
    throw extensionUnsupported(extension, file, instruction.line, instruction.text)
  }
  if (!from) throw extensionWroteNonsense(extension, `its ${file} has no FROM`)
  return BASE_IMAGE.test(from.text) ? undefined : from.text
}

/** Refuses a build.Dockerfile: there is nothing that it could do without instructions being run. */
export function refuseDockerfile(text: string, extension: string, file: string): never {
  const all = instructionsOf(text)
  const telling = all.find(each => !/^(?:ARG|FROM)[ \t]/i.test(each.text)) ?? all.at(-1)
  throw extensionUnsupported(extension, file, telling?.line ?? 1, telling?.text ?? '')
}

function isBase(word: string): boolean {
  return BASE_IMAGE.test(word) || REFERENCE.test(word)
}

/** Comments and empty lines are left out; lines that end in a backslash go on in the next one. */
function instructionsOf(text: string): Instruction[] {
  const found: Instruction[] = []
  let open: Instruction | undefined
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const trimmed = line.trim()
    if (trimmed === '' || trimmed.startsWith('#')) continue
    const continued = trimmed.endsWith('\\')
    const part = continued ? trimmed.slice(0, -1).trimEnd() : trimmed
    open = open ? { line: open.line, text: `${open.text} ${part}` } : { line: index + 1, text: part }
    if (continued) continue
    found.push(open)
    open = undefined
  }
  return open ? [...found, open] : found
}
