import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import {
  type GroupMember,
  parseBuildPlan,
  parseBuildpack,
  parseLaunch,
  parseLayer,
  parseStore,
  printLayer,
} from '#cnb'
import { assertRefused } from '../std/refusal.testing.ts'
import { build } from './build.ts'
import { openWorkshop } from './shell-buildpacks.testing.ts'

/** Runs the script as bin/build of one buildpack (`$1`: its layers directory), with a second one after it; gives what the second saw. */
async function buildWith(script: string) {
  await using shop = await openWorkshop()
  const outside = join(shop.path, 'outside')
  await writeFile(outside, 'untouched')
  const members: GroupMember[] = []
  const toml = 'sbom-formats = ["application/vnd.cyclonedx+json"]'
  for (const [id, body] of [
    ['acme/a', script],
    ['acme/b', ': > "$1/ran"'],
  ] as const) {
    const { descriptor } = await shop.add(id, { toml, build: `OUTSIDE=${outside}\n${body}` })
    members.push({ id: descriptor.id, version: descriptor.version, api: descriptor.api })
  }
  try {
    const metadata = await build({ ...shop, group: { buildpacks: members, extensions: [] }, plan: [] })
    const layers = join(shop.places.layers.host)
    assert.ok(existsSync(join(layers, 'acme_b/ran')))
    const sboms = await readdir(join(layers, 'sbom'), { recursive: true }).catch(() => [])
    return {
      metadata,
      env: shop.executions[1]?.env ?? {},
      own: (await readdir(join(layers, 'acme_a')).catch(() => [])).toSorted(),
      sboms,
    }
  } finally {
    assert.equal(await readFile(outside, 'utf8'), 'untouched')
    assert.ok(!existsSync(`${shop.places.layers.host}-scratch`))
  }
}
const write = (path: string, content: string) =>
  `mkdir -p "$(dirname "$1/${path}")"; cat > "$1/${path}" <<'END'\n${content}\nEND`
const layer = (name: string) =>
  `mkdir -p "$1/${name}"\n${write(`${name}.toml`, '[types]\nbuild = true\nlaunch = true')}`
const process = (type: string, command = '["x"]') => `[[processes]]\ntype = "${type}"\ncommand = ${command}`

describe('a buildpack that writes nonsense', () => {
  const REFUSED: Record<string, string> = {
    'a layer of the name of a file of the specification': `${write('launch.toml.toml', '')}\n${write('build.toml', 'x = [')}`,
    'a layer.toml that is a directory below a pipe': 'mkfifo "$1/x.toml"',
    'a layer.toml that is a link to itself': 'ln -s x.toml "$1/x.toml"',
    'a layer.toml that is a link to nothing': 'ln -s nothing "$1/x.toml"',
    'a layer.toml that is a link to another of its own': `${layer('y')}\nln -s y.toml "$1/x.toml"`,
    'a layer.toml of a terabyte': 'truncate -s 1T "$1/x.toml"',
    'a layer.toml of lists, 10,000 deep': write('x.toml', `[metadata]\na = ${'['.repeat(10_000)}`),
    'a layer.toml of tables, 10,000 deep': write('x.toml', `[metadata]\n${'a.'.repeat(10_000)}a = 1`),
    'a layer.toml with a key twice': write('x.toml', '[types]\nbuild = true\nbuild = false'),
    'a layer.toml with types in words': write('x.toml', '[types]\nbuild = "yes"'),
    'a layer.toml with metadata that is a list': write('x.toml', 'metadata = []'),
    'a layer.toml with an escape of a terminal': `printf '# \\033[2J\\n' > "$1/x.toml"`,
    'a layer.toml with a NUL': `printf 'a\\0b = 1' > "$1/x.toml"`,
    'a layer of no name': write('.toml', ''),
    'a layer called ..': write('...toml', '[types]\nbuild = true'),
    'a layer with a line end in its name': `: > "$1/$(printf 'a\\nb').toml"`,
    'a store.toml that is a pipe': 'mkfifo "$1/store.toml"',
    'a store.toml that is a link': 'ln -s "$OUTSIDE" "$1/store.toml"',
    'a store.toml that is a directory': 'mkdir "$1/store.toml"',
    'a build.toml that is a pipe': 'mkfifo "$1/build.toml"',
    'a launch.toml that is a directory': 'mkdir "$1/launch.toml"',
    'a process type with a slash': write('launch.toml', process('../web')),
    'a process type of dots': write('launch.toml', process('..')),
    'a process type of nothing': write('launch.toml', process('')),
    'a process type of a kilobyte': write('launch.toml', process('w'.repeat(1024))),
    'a process without a command': write('launch.toml', process('web', '[]')),
    'a process with an empty command': write('launch.toml', process('web', '[""]')),
    'a command of numbers': write('launch.toml', process('web', '[1]')),
    'a label without a key': write('launch.toml', '[[labels]]\nkey = ""\nvalue = "x"'),
    'a label that is a number': write('launch.toml', '[[labels]]\nkey = "x"\nvalue = 1'),
    'slices that are text': write('launch.toml', 'slices = "a"'),
    'slice paths that are numbers': write('launch.toml', '[[slices]]\npaths = [1]'),
    'a bill of materials that is a link out of its directory': 'ln -s "$OUTSIDE" "$1/launch.sbom.cdx.json"',
    'a bill of materials that is a pipe': 'mkfifo "$1/build.sbom.cdx.json"',
    'a bill of materials that is a directory': 'mkdir "$1/build.sbom.cdx.json"',
    'a bill of materials of a layer that is a link': `${layer('x')}\nln -s "$OUTSIDE" "$1/x.sbom.cdx.json"`,
  }
  for (const [what, script] of Object.entries(REFUSED))
    it(`REFUSE: ${what}`, () =>
      assertRefused(() => buildWith(script), ['BUILDPACK_OUTPUT_INVALID', 'BUILDPACK_FILE_REFUSED']))

  it('SAME: layers, processes, labels, slices and bills as they should be', async () => {
    const launch = `${process('web')}\n[[labels]]\nkey = "k"\nvalue = "v"\n[[slices]]\npaths = ["a"]`
    const { metadata, own } = await buildWith(
      [
        layer('x'),
        layer('a.b'),
        write('launch.toml', launch),
        write('store.toml', '[metadata]\na = 1'),
        write('x.sbom.cdx.json', '{}'),
      ].join('\n'),
    )
    assert.deepEqual([metadata.processes.length, metadata.labels.length, metadata.slices.length], [1, 1, 1])
    assert.ok(own.includes('x') && own.includes('a.b.toml'))
  })

  const CONTAINED: Record<string, [string, (found: Awaited<ReturnType<typeof buildWith>>) => void]> = {
    'it removes its own directory': ['rm -rf "$1"', found => assert.deepEqual(found.metadata.processes, [])],
    'it puts a file in place of its directory': [
      'rm -rf "$1"; : > "$1"',
      found => assert.deepEqual(found.own, []),
    ],
    'a variable with a NUL, which no process can be given': [
      `${layer('x')}\nmkdir "$1/x/env"; printf 'a\\0b' > "$1/x/env/V"; printf ok > "$1/x/env/W"`,
      found => assert.equal(found.env.W, 'ok'),
    ],
    'a variable that is a pipe': [
      `${layer('x')}\nmkdir "$1/x/env"; mkfifo "$1/x/env/V"; printf ok > "$1/x/env/W"`,
      found => assert.deepEqual([found.env.V, found.env.W], [undefined, 'ok']),
    ],
    'a variable that is a link out of the layer': [
      `${layer('x')}\nmkdir "$1/x/env"; ln -s "$OUTSIDE" "$1/x/env/V"`,
      found => assert.equal(found.env.V, undefined),
    ],
    'a layer that is a link out of its directory': [
      `${layer('x')}\nrmdir "$1/x"; ln -s "$(dirname "$OUTSIDE")" "$1/x"`,
      found => assert.ok(!String(found.env.PATH).includes('acme_a/x')),
    ],
    'a layer that is for nothing, and a directory of the name it is set aside to': [
      `mkdir -p "$1/x" "$1/x.ignore/old"; : > "$1/x.toml"`,
      found => assert.deepEqual(found.own, ['x.ignore', 'x.toml']),
    ],
    'a layer that is for nothing, and a link where it is set aside to': [
      `mkdir -p "$1/x"; ln -s "$(dirname "$OUTSIDE")" "$1/x.ignore"; : > "$1/x.toml"`,
      found => assert.deepEqual(found.own, ['x.ignore', 'x.toml']),
    ],
    'layers called as what the lifecycle keeps': [
      ['sbom', 'config', 'app', 'acme_b', 'build.sbom'].map(layer).join('\n'),
      found => assert.equal(found.own.length, 10),
    ],
    'a thousand layers': [
      'i=0; while [ $i -lt 1000 ]; do : > "$1/l$i.toml"; i=$((i+1)); done',
      found => assert.equal(found.own.length, 1000),
    ],
    'metadata of names that objects have anyway': [
      write(
        'x.toml',
        '[types]\nbuild = true\n[metadata.__proto__]\npolluted = 1\n[metadata.constructor.prototype]\npolluted = 1',
      ),
      () => assert.equal(({} as { polluted?: unknown }).polluted, undefined),
    ],
  }
  for (const [what, [script, check]] of Object.entries(CONTAINED))
    it(`CONTAIN: ${what}`, async () => check(await buildWith(script)))
})

describe('documents of buildpacks, by anybody', () => {
  const buildpack = (more: string) => `api = "0.10"\n[buildpack]\nid = "acme/a"\nversion = "1"\n${more}`
  const ANY = [
    'TOML_MALFORMED',
    'DOCUMENT_INVALID',
    'BUILDPACK_ID_INVALID',
    'BUILDPACK_VERSION_INVALID',
    'BUILDPACK_API_UNSUPPORTED',
    'API_UNSUPPORTED',
    'PROCESS_TYPE_INVALID',
  ]
  const DESCRIPTORS: Record<string, string> = {
    'an id that climbs': buildpack('').replace('acme/a', '../a'),
    'an id with an underscore': buildpack('').replace('acme/a', 'acme_a'),
    'an id with an escape': buildpack('').replace('acme/a', 'a\\u001b[2J'),
    'an id that is a file of the lifecycle': buildpack('').replace('acme/a', 'plan.toml'),
    'a version that climbs': buildpack('').replace('version = "1"', 'version = "../1"'),
    'a version that is a number': buildpack('').replace('version = "1"', 'version = 1'),
    'no id': buildpack('').replace('id = "acme/a"', ''),
    'an id twice': buildpack('id = "acme/b"'),
    'an order that is text': buildpack('[[order]]\ngroup = "x"'),
    'targets that are text': buildpack('').replace('api', 'targets = "linux"\napi'),
  }
  for (const [what, text] of Object.entries(DESCRIPTORS))
    it(`REFUSE: buildpack.toml with ${what}`, () =>
      assertRefused(() => parseBuildpack(text, 'buildpack.toml'), ANY))
  it('SAME: buildpack.toml as it should be', () =>
    assert.equal(parseBuildpack(buildpack(''), 'x').id, 'acme/a'))

  const PLANS: Record<string, string> = {
    'a name that is a number': '[[provides]]\nname = 1',
    'no name': '[[requires]]',
    'a list in place of a table': '[[requires]]\nname = "a"\nmetadata = []',
    'alternatives that are text': 'or = "x"',
    'lists, 10,000 deep': `a = ${'['.repeat(10_000)}`,
  }
  for (const [what, text] of Object.entries(PLANS))
    it(`REFUSE: a build plan with ${what}`, () => assertRefused(() => parseBuildPlan(text, 'plan.toml'), ANY))
  it('INERT: a build plan with names that objects have anyway', () => {
    const text =
      '[[provides]]\nname = "__proto__"\n[[requires]]\nname = "constructor"\n[requires.metadata.__proto__]\npolluted = 1'
    parseBuildPlan(text, 'x')
    parseStore('[metadata.__proto__]\na = 1', 'x')
    printLayer(parseLayer('[metadata.__proto__]\na = 1', 'x'))
    parseLaunch('[[labels]]\nkey = "__proto__"\nvalue = "x"', 'x', '0.10')
    assert.equal(({} as { polluted?: unknown }).polluted, undefined)
  })
})
