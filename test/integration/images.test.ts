import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { append, configure, copyImage, emptyImage, label, openLayout, parsePlace } from '../../src/oci/mod.ts'
import { noise } from '../../src/oci/oci.testing.ts'
import { cycloneDx, layerTar, writeAppImage } from '../../src/platform/images/app-image.testing.ts'
import { type Story, story } from '../support/cli.ts'

/** images, tag, rm, gc, copy, inspect and sbom as a person types them, on images that were made elsewhere. */

let place: Story
before(async () => {
  place = story({ fresh: true })
  const store = openLayout(join(place.directory, 'elsewhere'))
  const directory = place.directory
  const archive = (name: string) => parsePlace(`docker-archive:${name}.tar`, directory)
  const options = { architecture: 'amd64' }
  const sbom = { '/layers/sbom/launch/acme_bp/dep/sbom.cdx.json': cycloneDx('left-pad') }
  await writeAppImage(store, { sbom, labels: { 'io.buildpacks.stack.id': 'io.example\u001b[2J.stack' } })
  await copyImage(store, parsePlace('shop', directory), archive('shop'), options)
  const layer = await store.addLayer(() => layerTar({ a: noise(5_000_000).toString('hex') }))
  const plain = append(emptyImage('linux', 'amd64'), [
    { layer, history: { created_by: 'ADD \u001b]0;title\u0007' } },
  ])
  await store.write(label(configure(plain, { Cmd: ['sh'] }), {}), ['plain'])
  await copyImage(store, parsePlace('plain', directory), archive('plain'), options)
  place.own('.')
})
after(() => place[Symbol.dispose]())

async function slipway(...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await place.slipway(words)
  assert.equal(code, 0, `${words.join(' ')}\n${stderr}`)
  assert.doesNotMatch(
    stdout + stderr,
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/,
    'control characters of an image reached the terminal',
  )
  return stdout
}

describe('images made elsewhere', () => {
  it('are taken over from archives and listed', async () => {
    const shop = (await slipway('copy', 'docker-archive:shop.tar', 'team/shop:1.0')).trim()
    await slipway('copy', 'docker-archive:plain.tar', 'plain')
    const [head, plain, listed] = (await slipway('images')).trim().split('\n')
    assert.match(head ?? '', /^NAME +DIGEST +SIZE +CREATED +BASE$/)
    assert.match(plain ?? '', /^plain:latest +[0-9a-f]{12} +\d\.\d MB +- +-$/)
    assert.match(
      listed ?? '',
      /^team\/shop:1\.0 +[0-9a-f]{12} +\d\.\d kB +1980-01-01 00:00 +registry\.example\/run:noble$/,
    )
    const [, json] = JSON.parse(await slipway('images', '--json'))
    assert.deepEqual([json.name, json.digest], ['team/shop:1.0', shop])
  })

  it('get further names, by name or digest', async () => {
    const digest = (await slipway('tag', 'team/shop:1.0', 'shop')).trim()
    await slipway('tag', digest, 'shop:again')
    const names = JSON.parse(await slipway('images', '--json')).map((each: { name: string }) => each.name)
    assert.deepEqual(names, ['plain:latest', 'shop:again', 'shop:latest', 'team/shop:1.0'])
  })

  it('are inspected as pack prints them, and layer by layer', async () => {
    const text = await slipway('inspect', 'shop')
    for (const part of [
      /^Stack: io\.example\\u001b\[2J\.stack$/m,
      /^Base Image:\n {2}Reference: registry\.example\/run@sha256:8{64}\n {2}Top Layer: sha256:[0-9a-f]{64}$/m,
      /^Run Images:\n {2}registry\.example\/run:noble\n {2}mirror\.example\/run:noble$/m,
      /^Rebasable: true$/m,
      /^Buildpacks:\n {2}ID {13}VERSION {8}HOMEPAGE\n {2}acme\/bp {8}1\.0\.0 {10}https:\/\/acme\.example$/m,
      /^Processes:\n {2}TYPE {17}SHELL {8}COMMAND {8}ARGS {11}WORK DIR\n {2}web \(default\) +run +one two +\/workspace\n {2}task +bash +run +\/tmp$/m,
      /^ {2}operating system +\d+ B +[0-9a-f]{12} +[0-9a-f]{12}$/m,
      /^ {2}acme\/bp:dep +\d+ B/m,
      /^ {2}application: slice 2 +\d+ B/m,
    ]) {
      assert.match(text, part)
    }
    const { image_name, local_info } = JSON.parse(await slipway('inspect', 'shop', '--json'))
    assert.equal(image_name, 'shop')
    assert.deepEqual(local_info.processes[0], {
      type: 'web',
      shell: '',
      command: 'run',
      args: ['one', 'two'],
      default: true,
      'working-dir': '/workspace',
    })
    assert.equal(local_info.layers.length, 8)
  })

  it('are shown too where no buildpacks made them', async () => {
    const text = await slipway('inspect', 'plain')
    assert.match(text, /^This image was not built by buildpacks\.$/m)
    assert.match(text, /ADD \\u001b\]0;title\\u0007/)
  })

  it('have a bill of materials in both formats, in files and by part', async () => {
    const cyclone = JSON.parse(await slipway('sbom', 'show', 'shop'))
    assert.deepEqual(
      cyclone.components.map((each: { purl?: string }) => each.purl),
      ['pkg:npm/left-pad@1'],
    )
    const spdx = JSON.parse(await slipway('sbom', 'show', 'shop', '--format', 'spdx', '--layer', 'acme/bp'))
    assert.equal(spdx.packages.length, 2)
    const files = (await slipway('sbom', 'download', 'shop', '-o', 'papers')).trim().split('\n')
    assert.deepEqual(files, [
      'image.cdx.json',
      'image.spdx.json',
      'layers/sbom/launch/acme_bp/dep/sbom.cdx.json',
    ])
    for (const file of files) JSON.parse(readFileSync(join(place.directory, 'papers', file), 'utf8'))
  })

  it('leave by archive and layout, and come back the same', async () => {
    const digest = (await slipway('tag', 'shop', 'shop')).trim()
    await slipway('copy', 'shop', 'oci:out:1.0')
    await slipway('copy', 'shop', 'docker-archive:out.tar')
    for (const from of ['oci:out:1.0', 'docker-archive:out.tar'])
      assert.equal((await slipway('copy', from, 'back')).trim(), digest)
  })

  it('go when their last name is gone and garbage is collected', async () => {
    assert.match(await slipway('gc'), /^deleted 0 blobs, 0 B$/m)
    assert.equal(await slipway('rm', 'plain'), 'plain:latest\n')
    assert.match(await slipway('gc'), /^deleted 3 blobs, \d\.\d MB$/m)
    await slipway('inspect', 'shop')
  })
})

describe('mistakes', () => {
  const mistakes: readonly (readonly [string, number, RegExp, ...string[]])[] = [
    ['an image that is not there', 3, /Cannot find the image nothing/, 'inspect', 'nothing'],
    ['a name to remove that is not there', 3, /Cannot find the image nothing/, 'rm', 'shop', 'nothing'],
    ['a name that is none', 3, /"Shop" is not a part of a name/, 'tag', 'shop', 'Shop'],
    ['no names to remove', 3, /no names were given/, 'rm'],
    ['an archive that is not there', 1, /there is no such file/, 'copy', 'docker-archive:none.tar', 'x'],
    ['an archive that is none', 1, /as a Docker archive/, 'copy', 'docker-archive:junk.tar', 'x'],
    ['a layout that is not there', 3, /Cannot find the image/, 'copy', 'oci:none', 'x'],
    ['a format that there is not', 3, /there is no format "xml"/, 'sbom', 'show', 'shop', '--format', 'xml'],
    [
      'a part that the image has not',
      3,
      /it has bills of: acme\/bp:dep/,
      'sbom',
      'show',
      'shop',
      '--layer',
      'x',
    ],
    ['an unknown flag', 2, /unknown option/, 'images', '--wat'],
  ]
  for (const [name, exitCode, words, ...command] of mistakes) {
    it(`${name}: ${command.join(' ')}`, async () => {
      writeFileSync(join(place.directory, 'junk.tar'), noise(2000))
      const { code, stdout, stderr } = await place.slipway(command)
      assert.equal(code, exitCode, stderr)
      assert.equal(stdout, '')
      assert.match(stderr, words)
      assert.ok(stderr.split('\n').length < 25, 'it fits one screen')
    })
  }

  it('removes nothing where one name of several is wrong', async () => {
    await place.slipway(['rm', 'shop', 'nothing'])
    await slipway('inspect', 'shop')
  })

  it('says that the disk is full', async t => {
    const script = 'mount -t tmpfs -o size=3m none full && SLIPWAY_HOME=$PWD/full exec "$@"'
    const program = join(import.meta.dirname, '../../slipway')
    const unshare = ['--user', '--map-root-user', '--mount', 'sh', '-ec', script, 'sh']
    const possible = await place.run('unshare', [...unshare.slice(0, 3), 'true'])
    if (possible.code !== 0) return t.skip('no namespaces to mount a small disk in')
    await place.run('mkdir', ['-p', 'full'])
    const { code, stderr } = await place.run('unshare', [
      ...unshare,
      program,
      'copy',
      'docker-archive:plain.tar',
      'plain',
    ])
    assert.equal(code, 1)
    assert.match(stderr, /The disk is full[\s\S]*slipway gc/)
  })
})
