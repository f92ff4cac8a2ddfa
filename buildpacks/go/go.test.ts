import assert from 'node:assert/strict'
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { Build } from '#sdk'
import {
  names,
  processOf,
  type Workbench,
  type WorkbenchOptions,
  workbench,
  writeTree,
} from '../workbench.testing.ts'
import { buildFlags } from './arguments.ts'
import { build } from './build.ts'
import { detect } from './detect.ts'
import { processesOf } from './processes.ts'
import { chosenTargets, importPathOf, isMain } from './targets.ts'
import { releaseIn, wantedGo } from './version.ts'

/** Stands for Go where no compiler is needed: it notes how it was called, and leaves a file for each target. */
const GO = `#!/bin/sh
echo "$@" >> ../calls
env | grep -E '^(CGO_ENABLED|GO[A-Z]*|NETRC)=' | sort > ../environment
[ "$1" = build ] || exit 0
shift
while [ "$1" != -o ]; do shift; done
place=$2
shift 2
for target; do
  case $target in
    .) echo program > "\${place}app" ;;
    *) echo program > "$place\${target##*/}" ;;
  esac
done
`

const MAIN = '// Package comment.\npackage main\n\nfunc main() {}\n'
const plan = [{ name: 'go', metadata: { build: true } }]
const PATH = '/usr/bin:/bin'

const opened = (files: WorkbenchOptions['files'], options: Partial<WorkbenchOptions> = {}) =>
  workbench({
    buildpack: 'go',
    files: { 'go.mod': 'module example.com/app\n\ngo 1.26\n', ...files },
    dependencies: { go: { version: '1.26.8', files: { 'bin/go': GO } } },
    ...options,
    environment: { PATH, ...options.environment },
  })

/** Trees of dependencies are written as plain files here, and Go is a program. */
const executable: Build = context =>
  build({
    ...context,
    async dependency(request) {
      const found = await context.dependency(request)
      chmodSync(join(found.root, 'bin/go'), 0o755)
      return found
    },
  })

const calls = ({ application }: Workbench) =>
  existsSync(join(application, '../calls'))
    ? readFileSync(join(application, '../calls'), 'utf8').trim().split('\n')
    : []

describe('go', () => {
  it('takes part where there is a module or a workspace', async () => {
    await using module = await opened({})
    const found = await module.detect(detect)
    assert.deepEqual([names(found, 'provides'), names(found, 'requires')], [['go'], ['go']])
    await using workspace = await workbench({ buildpack: 'go', files: { 'go.work': 'go 1.26\n' } })
    assert.deepEqual(names(await workspace.detect(detect), 'requires'), ['go'])
    await using neither = await workbench({ buildpack: 'go', files: { 'main.go': MAIN, 'x/go.mod': '' } })
    assert.equal(await neither.detect(detect), undefined)
  })

  it('builds a static program, starts it by default, and removes the source', async () => {
    await using bench = await opened({ 'main.go': MAIN })
    const output = await bench.build(executable, plan)
    assert.match(output, /Using Go 1\.26\.8 \(1\.26 by go\.mod\)/)
    assert.match(output, /Executing go build -trimpath -buildvcs=false -modcacherw '-ldflags=-s -w' \.\n/)
    assert.deepEqual(readdirSync(bench.application), [])
    const program = join(bench.layers, 'targets/bin/app')
    assert.equal(readFileSync(program, 'utf8'), 'program\n')
    for (const [type, isDefault] of [
      ['web', true],
      ['app', false],
    ] as const) {
      const process = processOf(bench.table('launch.toml'), type)
      assert.deepEqual([process?.command, process?.default], [[program], isDefault])
    }
    assert.deepEqual(bench.table('targets.toml')?.types, { launch: true, build: false, cache: false })
    for (const kept of ['modules', 'build-cache'])
      assert.deepEqual(bench.table(`${kept}.toml`)?.types, { launch: false, build: false, cache: true })
    const environment = readFileSync(join(bench.application, '../environment'), 'utf8')
    for (const line of [
      'CGO_ENABLED=0',
      'GOARCH=amd64',
      'GOOS=linux',
      'GOTOOLCHAIN=local',
      `GOCACHE=${bench.layers}/build-cache`,
    ])
      assert.ok(environment.split('\n').includes(line), environment)
  })

  it('does not start Go while nothing changed, although only the image has the programs then', async () => {
    const files = { 'cmd/b/main.go': MAIN, 'cmd/a/main.go': MAIN, 'go.mod': 'module m\n\ngo 1.26\n' }
    await using bench = await opened(files)
    await bench.build(executable, plan)
    const first = bench.file('launch.toml')
    rmSync(join(bench.layers, 'targets'), { recursive: true })
    rmSync(join(bench.layers, 'launch.toml'))
    writeTree(bench.application, files)
    assert.match(await bench.build(executable, plan), /Go Programs: Reusing cached layer/)
    assert.equal(bench.file('launch.toml'), first)
    assert.equal(calls(bench).length, 1)
    writeTree(bench.application, { ...files, 'cmd/a/main.go': `${MAIN}\n` })
    assert.match(await bench.build(executable, plan), /Go Programs: Contributing to layer \(source changed\)/)
    assert.equal(calls(bench).length, 2)
  })

  it('makes a process of each target', async () => {
    const environment = { BP_GO_TARGETS: './cmd/till:cmd/clerk' }
    await using bench = await opened({ 'cmd/clerk/main.go': MAIN, 'cmd/till/main.go': MAIN }, { environment })
    await bench.build(executable, plan)
    assert.match(calls(bench)[0] ?? '', / \.\/cmd\/till \.\/cmd\/clerk$/)
    const { processes } = bench.table('launch.toml') as { processes: { type: string }[] }
    assert.deepEqual(processes.map(({ type }) => type).sort(), ['clerk', 'till', 'web'])
  })

  it('keeps the files that the user names, and says what it does not do', async () => {
    const environment = { BP_KEEP_FILES: 'assets/*:templates', BP_LIVE_RELOAD_ENABLED: 'true' }
    const files = { 'main.go': MAIN, 'assets/a.css': 'a', 'templates/b/c.html': 'c', 'other.txt': '' }
    await using bench = await opened(files, { environment })
    assert.match(await bench.build(executable, plan), /WARNING: BP_LIVE_RELOAD_ENABLED is not supported/)
    assert.deepEqual(readdirSync(bench.application).sort(), ['assets', 'templates'])
  })

  it('puts modules into a workspace first', async () => {
    const environment = { BP_GO_WORK_USE: './app:./lib', BP_GO_TARGETS: './app' }
    await using bench = await opened({ 'app/main.go': MAIN }, { environment })
    await bench.build(executable, plan)
    assert.deepEqual(calls(bench).slice(0, 2), ['work init', 'work use -- ./app ./lib'])
  })

  it('hands the credentials of a binding to Go and to git, and to nobody else', async () => {
    const bindings = { private: { type: 'netrc', '.netrc': 'machine a login b password hunter2\n' } }
    await using bench = await opened({ 'main.go': MAIN }, { bindings })
    const output = await bench.build(executable, plan)
    assert.match(
      readFileSync(join(bench.application, '../environment'), 'utf8'),
      /^NETRC=.*\/private\/\.netrc$/m,
    )
    for (const file of readdirSync(bench.layers).filter(name => name.endsWith('.toml')))
      assert.ok(!`${bench.file(file)}${output}`.includes('hunter2'))
  })
})

describe('the release of Go', () => {
  const wanted = async (files: WorkbenchOptions['files'], environment: Record<string, string> = {}) => {
    await using bench = await opened(files, { environment })
    let found: Awaited<ReturnType<typeof wantedGo>> | undefined
    await bench.build(async context => {
      found = await wantedGo(context)
    }, [])
    return found
  }

  it('is at least what go.mod and go.work ask for', async () => {
    assert.deepEqual(await wanted({}), { version: '1.26', minimum: true, from: 'go.mod' })
    assert.deepEqual(await wanted({ 'go.work': 'go 1.27.1\nuse ./a\n' }), {
      version: '1.27.1',
      minimum: true,
      from: 'go.work',
    })
    assert.deepEqual(await wanted({ 'go.mod': 'module m\n' }), {
      version: '',
      minimum: true,
      from: 'the default',
    })
  })

  it('is what BP_GO_VERSION says', async () => {
    const asked = await wanted({}, { BP_GO_VERSION: ' go1.25.3 ' })
    assert.deepEqual(asked, { version: '1.25.3', minimum: false, from: 'BP_GO_VERSION' })
  })

  it('is read from the lines that name one', () => {
    assert.equal(releaseIn('module m\n\ngo 1.24.0\n\ntoolchain go1.25.1\n'), '1.25.1')
    assert.equal(releaseIn('go 1.25.1 // comment\ntoolchain go1.24\r\n'), '1.25.1')
    assert.equal(releaseIn('go 1.27rc1\ntoolchain default\n'), '1.27')
    assert.equal(releaseIn('require go.example/x v1.2.3\n// go 1.2\n'), '')
  })
})

describe('targets', () => {
  const targets = async (files: WorkbenchOptions['files'], given?: string) => {
    await using bench = await opened(
      files,
      given === undefined ? {} : { environment: { BP_GO_TARGETS: given } },
    )
    let found: string[] | undefined
    await bench.build(async context => {
      found = await chosenTargets(context)
    }, [])
    return found
  }

  it('are the top directory, else all below cmd, else the only one', async () => {
    assert.deepEqual(await targets({ 'main.go': MAIN, 'cmd/x/main.go': MAIN }), ['.'])
    const library = { 'lib.go': 'package lib\n', 'lib_test.go': 'package main\n' }
    assert.deepEqual(await targets({ ...library, 'cmd/b/main.go': MAIN, 'cmd/a/c/m.go': MAIN }), [
      './cmd/a/c',
      './cmd/b',
    ])
    const apart = {
      'vendor/x/main.go': MAIN,
      'a/testdata/main.go': MAIN,
      '_b/main.go': MAIN,
      '.c/main.go': MAIN,
    }
    assert.deepEqual(await targets({ ...library, ...apart, 'tools/server/main.go': MAIN }), [
      './tools/server',
    ])
  })

  it('have to be named where nobody could know', async () => {
    await assert.rejects(targets({ 'a/main.go': MAIN, 'b/main.go': MAIN }), {
      code: 'GO_TARGETS_AMBIGUOUS',
      fix: /\.\/a/,
    })
    await assert.rejects(targets({ 'lib.go': 'package lib\n' }), { code: 'GO_NO_TARGET' })
    await assert.rejects(targets({}, '-o=/x'), { code: 'CONFIGURATION_INVALID' })
  })

  it('are told by the package clause, not by files that run by themselves', () => {
    assert.ok(isMain('/* a */ // b\npackage main'))
    assert.ok(!isMain('//go:build ignore\n\npackage main\n'))
    assert.ok(!isMain('package mainly\n'))
    assert.ok(!isMain('// package main\npackage other\n'))
  })

  it('are found again in programs by their import path', async () => {
    await using bench = await opened({
      'sub/go.mod': 'module "example.com/sub"\n',
      'sub/cmd/x/main.go': MAIN,
    })
    const path = (target: string) => importPathOf(bench.application, target)
    assert.deepEqual(
      await Promise.all(['.', './cmd/a', './sub/cmd/x', './...', 'other.example/x'].map(path)),
      ['example.com/app', 'example.com/app/cmd/a', 'example.com/sub/cmd/x', undefined, undefined],
    )
  })

  it('give processes, of which the first is web unless one is called so', () => {
    const types = (...programs: string[]) =>
      processesOf(programs, '/b').map(each => `${each.type}${each.default ? '*' : ''}`)
    assert.deepEqual(types('till', 'a+b'), ['web*', 'till', 'a-b'])
    assert.deepEqual(types('till', 'web'), ['till*', 'web'])
    assert.deepEqual(types(), [])
  })
})

describe('flags', () => {
  const flags = async (environment: Record<string, string>) => {
    await using bench = await opened({}, { environment })
    let found: string[] | undefined
    await bench.build(context => {
      found = buildFlags(context)
    }, [])
    return found
  }

  it('make programs that say nothing of where they were built', async () => {
    assert.deepEqual(await flags({}), ['-trimpath', '-buildvcs=false', '-modcacherw', '-ldflags=-s -w'])
  })

  it('follow the user', async () => {
    assert.deepEqual(
      await flags({
        BP_GO_BUILD_FLAGS: "-tags 'a b' -ldflags=-X=main.v=1",
        GOFLAGS: '-trimpath -buildvcs=auto',
      }),
      ['-modcacherw', '-tags', 'a b', '-ldflags=-X=main.v=1'],
    )
    assert.deepEqual(await flags({ BP_GO_BUILD_LDFLAGS: '' }), [
      '-trimpath',
      '-buildvcs=false',
      '-modcacherw',
    ])
    assert.ok((await flags({ BP_GO_BUILD_LDFLAGS: '-X main.v=1' }))?.includes('-ldflags=-X main.v=1'))
  })
})
