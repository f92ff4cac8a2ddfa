import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type BuildContext, byBytes, Problem, readIfExists } from '#sdk'

/**
 * The main packages to build, as the go command names them. Those of `BP_GO_TARGETS`, else the top directory if it has one, else those below `cmd`,
 * else the only one that there is. Throws a `Problem` (`GO_NO_TARGET`, `GO_TARGETS_AMBIGUOUS`, `CONFIGURATION_INVALID`).
 */
export async function chosenTargets({
  application,
  configuration,
}: Pick<BuildContext, 'application' | 'configuration'>): Promise<string[]> {
  const given = configuration
    .text('BP_GO_TARGETS')
    .split(':')
    .map(target => target.trim())
    .filter(Boolean)
  if (given.length > 0) return await Promise.all(given.map(target => asWritten(application, target)))
  if (await hasMain(application)) return ['.']
  const commands = await mainPackages(application, 'cmd')
  if (commands.length > 0) return commands.map(path => `./${path}`)
  const all = await mainPackages(application, '')
  if (all.length === 1) return all.map(path => `./${path}`)
  throw all.length === 0 ? noTarget() : ambiguous(all)
}

/** `cmd/server` means the directory, as long as there is one. */
async function asWritten(application: string, target: string): Promise<string> {
  if (target.startsWith('-'))
    throw new Problem('CONFIGURATION_INVALID', {
      what: 'Cannot use $BP_GO_TARGETS',
      why: `${JSON.stringify(target.slice(0, 100))} is a flag, not a package`,
      fix: 'Put flags into BP_GO_BUILD_FLAGS.',
    })
  if (/^\.{0,2}\//.test(target) || target === '.') return target
  const found = await stat(join(application, target)).catch(() => undefined)
  return found?.isDirectory() ? `./${target}` : target
}

/** Directories that the go command does not look into either. */
const APART = /^(?:[._]|testdata$|vendor$|node_modules$)/

/** Directories with a main package at or below a place, sorted; relative to the app. */
async function mainPackages(application: string, place: string): Promise<string[]> {
  const entries = await readdir(join(application, place), { withFileTypes: true }).catch(() => [])
  const found = place !== '' && (await hasMain(join(application, place))) ? [place] : []
  for (const { name } of entries.filter(each => each.isDirectory() && !APART.test(each.name)))
    found.push(...(await mainPackages(application, place === '' ? name : `${place}/${name}`)))
  return found.sort(byBytes)
}

async function hasMain(directory: string): Promise<boolean> {
  for (const name of await readdir(directory).catch(() => [])) {
    if (!/^[^._].*\.go$/.test(name) || name.endsWith('_test.go')) continue
    if (isMain(await readFile(join(directory, name), 'utf8').catch(() => ''))) return true
  }
  return false
}

/** True for the text of a file of a main package, unless it is only ever run by itself (`//go:build ignore`). */
export function isMain(text: string): boolean {
  const [head = '', name] = /^(?:\s|\/\/[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)*package\s+(\w+)/.exec(text) ?? []
  return name === 'main' && !/^\/\/(?:go:build|\s*\+build)\s+ignore\s*$/m.test(head)
}

/** The import path of a package that is named by its directory; `undefined` for patterns and for packages of other modules. */
export async function importPathOf(application: string, target: string): Promise<string | undefined> {
  if (!/^\.(?:\/|$)/.test(target) || target.includes('...')) return undefined
  const steps = target.split('/').filter(step => step !== '.' && step !== '')
  for (let count = steps.length; count >= 0; count--) {
    const text = await readIfExists(join(application, ...steps.slice(0, count), 'go.mod'))
    const module = text && /^[ \t]*module[ \t]+["`]?([^\s"`]+)/m.exec(text)?.[1]
    if (module) return [module, ...steps.slice(count)].join('/')
  }
  return undefined
}

const noTarget = () =>
  new Problem('GO_NO_TARGET', {
    what: 'Cannot find a program to build',
    why: 'no directory of the app has a main package',
    fix: 'Set BP_GO_TARGETS to the package that is the program, or use --path for its directory.',
  })

const ambiguous = (paths: readonly string[]) =>
  new Problem('GO_TARGETS_AMBIGUOUS', {
    what: 'Cannot choose the program to build',
    why: `there are ${paths.length}: ${paths.slice(0, 10).join(', ')}${paths.length > 10 ? ', …' : ''}`,
    fix: `Set BP_GO_TARGETS to those that go into the image, as in BP_GO_TARGETS=./${paths[0]}.`,
  })
