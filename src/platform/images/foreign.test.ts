import assert from 'node:assert/strict'
import { mkdir, readFile, readlink, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { NO_PROJECT, parseBuildpack, parseBuildpackId, parseProject } from '#cnb'
import type { FoundBuildpack } from '#lifecycle'
import { emptyImage, type Layer, OCI } from '#oci'
import {
  digestOf,
  packTar,
  readAll,
  recording,
  type TarEntry,
  type TemporaryDirectory,
  temporaryDirectory,
} from '#std'
import { stackNotes } from '../build/stack-notes.ts'
import type { BuildpackShelf } from '../builder/builder.ts'
import { openBuilderRoot } from '../builder/root.ts'
import { archivedBuildpacks } from '../buildpacks/archive.ts'
import { type BuildpackChoice, chooseBuildpacks } from '../buildpacks/chosen-buildpacks.ts'
import { buildpackList } from '../buildpacks/directory.ts'
import { openUnpacked, type Unpacked } from '../roots/unpacked.ts'

const entry = (name: string, more: Partial<TarEntry> & { text?: string } = {}): TarEntry => {
  const content = Buffer.from(more.text ?? '')
  return {
    ...{ name, type: 'file', mode: 0o644, uid: 0, gid: 0, mtime: 0, size: content.length, content },
    ...more,
  } as TarEntry
}
const link = (name: string, linkname: string) =>
  entry(name, { type: 'symlink', linkname, size: 0 } as Partial<TarEntry>)
const tarOf = (...entries: TarEntry[]) => readAll(packTar(entries))

function layerOf(tar: Buffer, diffId = digestOf(tar)): Layer {
  return {
    diffId,
    blob: { mediaType: OCI.layer, digest: diffId, size: tar.length },
    compressed: async () => Readable.from([tar]),
    uncompressed: async () => Readable.from([tar]),
  }
}

describe('files of others', () => {
  let directory: TemporaryDirectory
  let unpacked: Unpacked
  const report = recording()
  beforeEach(async () => {
    directory = await temporaryDirectory(tmpdir(), 'foreign-')
    unpacked = openUnpacked(directory.path, report)
  })
  afterEach(async () => {
    await unpacked[Symbol.asyncDispose]()
    await directory[Symbol.asyncDispose]()
  })

  const write = async (name: string, bytes: Buffer | string) => {
    const path = join(directory.path, name)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, bytes)
    return path
  }
  const TOML = 'api = "0.10"\n[buildpack]\nid = "acme/a"\nversion = "1.0.0"\n'

  it('are not taken for a layer that they are not', async () => {
    const tar = await tarOf(entry('a', { text: 'a' }))
    await assert.rejects(unpacked.layer(layerOf(tar, digestOf('another'))), { code: 'LAYER_REFUSED' })
    assert.equal(await readFile(join(await unpacked.layer(layerOf(tar)), 'a'), 'utf8'), 'a')
  })

  it('in an archive with a buildpack at its top are one, packed or not, executable whatever the modes', async () => {
    const tar = await tarOf(
      entry('./buildpack.toml', { text: TOML }),
      entry('./bin/detect', { text: '#!/bin/sh' }),
    )
    for (const [name, bytes] of Object.entries({ 'a.tar': tar, 'a.tgz': gzipSync(tar) })) {
      const { main, source } = await archivedBuildpacks(await write(name, bytes), name, unpacked)
      assert.deepEqual({ ...main }, { id: 'acme/a', version: '1.0.0' })
      const found = await source.find('acme/a', '1.0.0')
      assert.equal(found?.root.inside, '/cnb/buildpacks/acme_a/1.0.0')
      assert.equal((await stat(join(found?.root.host ?? '', 'bin/detect'))).mode & 0o777, 0o755)
    }
  })

  it('in other archives are refused in words', async () => {
    const layout = { imageLayoutVersion: '1.0.0' }
    const cases: [name: string, bytes: Buffer, why: RegExp][] = [
      ['empty.tar', await tarOf(), /neither buildpack\.toml nor oci-layout/],
      ['deep.tar', await tarOf(entry('in/buildpack.toml', { text: TOML })), /neither/],
      ['text', Buffer.from('buildpack'.repeat(100)), /./],
      ['half.tgz', gzipSync(await tarOf(entry('buildpack.toml', { text: TOML }))).subarray(0, 60), /./],
      [
        'links.cnb',
        await tarOf(entry('oci-layout', { text: JSON.stringify(layout) }), link('index.json', '/etc/passwd')),
        /index\.json.* is no plain file/,
      ],
      ['linked.tar', await tarOf(link('buildpack.toml', '/etc/passwd')), /neither/],
    ]
    for (const [name, bytes, why] of cases)
      await assert.rejects(
        archivedBuildpacks(await write(name, bytes), name, unpacked),
        (error: { code?: string; message?: string }) => {
          assert.equal(error.code, 'BUILDPACK_ARCHIVE_INVALID', name)
          assert.match(error.message ?? '', why, name)
          return true
        },
      )
    const upwards = await tarOf(entry('../buildpack.toml', { text: TOML }))
    await assert.rejects(archivedBuildpacks(await write('up.tar', upwards), 'up.tar', unpacked), {
      code: 'LAYER_REFUSED',
    })
  })

  it('of a builder become a root with all that is mounted on, and links that lead out of it are left alone', async () => {
    const lower = await tarOf(
      entry('etc/passwd', { text: 'cnb:x:7:8::/home/builder:/bin/sh\n' }),
      link('etc/resolv.conf', '../run/systemd/resolve/stub-resolv.conf'),
      entry('gone', { text: 'gone' }),
      link('layers', '/etc'),
      link('var', directory.path),
    )
    const upper = await tarOf(entry('.wh.gone'), entry('workspace/file', { text: 'x' }))
    const image = { ...emptyImage('linux', 'amd64'), layers: [layerOf(lower), layerOf(upper)] }
    const variables = new Map([
      ['CNB_USER_ID', '7'],
      ['CNB_GROUP_ID', '8'],
    ])
    const root = await openBuilderRoot(image, 'a builder', variables, unpacked)
    assert.deepEqual(root.user, { uid: 7, gid: 8, home: '/home/builder' })
    const at = (path: string) => join(root.directory, path)
    for (const path of ['proc', 'dev', 'tmp', 'platform', 'cnb', 'home/builder', 'workspace'])
      assert.ok((await stat(at(path))).isDirectory(), path)
    for (const path of ['etc/resolv.conf', 'etc/hosts', 'etc/ssl/certs/ca-certificates.crt'])
      assert.equal(await readFile(at(path), 'utf8'), '', path)
    assert.equal(await readlink(at('layers')), '/etc')
    await assert.rejects(stat(at('gone')), { code: 'ENOENT' })
    await assert.rejects(stat(join(directory.path, 'tmp')), { code: 'ENOENT' })
    for (const id of ['', '0', 'cnb', '-1'])
      await assert.rejects(
        openBuilderRoot(image, 'x', new Map([...variables, ['CNB_USER_ID', id]]), unpacked),
        {
          code: 'BUILDER_INVALID',
        },
      )
  })

  describe('the choice of buildpacks', () => {
    const found = (name: string, more = ''): FoundBuildpack => {
      const toml = `api = "0.10"\n[buildpack]\nid = "${name}"\nversion = "1.0.0"\n${more}`
      return { descriptor: parseBuildpack(toml, name), root: { host: `/${name}`, inside: `/${name}` } }
    }
    const shelf = (...names: string[]): BuildpackShelf => ({
      ...buildpackList(names.map(name => found(name))),
      onlyVersion: async id => (names.includes(id) ? '1.0.0' : undefined),
    })
    const group = (...ids: string[]) =>
      ids.map(id => ({ id: parseBuildpackId(id, ''), version: '1.0.0', optional: false, execEnv: [] }))
    const asked: string[] = []
    const base = (): BuildpackChoice => ({
      ...{ named: [], pre: [], post: [], project: NO_PROJECT, execEnv: 'production' },
      workingDirectory: directory.path,
      projectDirectory: directory.path,
      builder: {
        order: { order: [group('in/a', 'in/b'), group('in/c')], extensions: [group('in/ext')] },
        system: { pre: group('sys/first', 'in/a'), post: group('sys/last') },
        buildpacks: shelf('in/a', 'in/b', 'in/c'),
      },
      fallback: shelf('slipway/own'),
      finder: {
        open: async place => {
          asked.push(JSON.stringify(place))
          return { main: group('out/x')[0] as never, source: buildpackList([found('out/x')]) }
        },
      },
      isImage: async text => text === 'team/stored',
      skipExtensions: false,
      scratch: join(directory.path, 'scratch'),
    })
    const orderOf = async (more: Partial<BuildpackChoice>) =>
      (await chooseBuildpacks({ ...base(), ...more })).order.order.map(each =>
        each.map(({ id }) => id).join(' '),
      )

    it('puts others around the groups of the builder, and those of the system around all', async () => {
      assert.deepEqual(await orderOf({}), ['sys/first in/a in/b sys/last', 'sys/first in/a in/c sys/last'])
      assert.deepEqual(await orderOf({ pre: ['docker://x/pre'], post: ['slipway/own'] }), [
        'sys/first out/x in/a in/b slipway/own sys/last',
        'sys/first in/a out/x in/c slipway/own sys/last',
      ])
      const around = parseProject(
        '[_]\nschema-version = "0.2"\n[[io.buildpacks.pre.group]]\nid = "in/c"\n[[io.buildpacks.post.group]]\nid = "in/a"\n',
        'project.toml',
      )
      assert.deepEqual(await orderOf({ project: around, post: ['in/b'] }), [
        'sys/first in/c in/a in/b in/b sys/last',
        'sys/first in/a in/c in/c in/b sys/last',
      ])
    })

    it('is what the person names, and reads every spelling', async () => {
      await mkdir(join(directory.path, 'in'))
      await write('here/buildpack.toml', TOML)
      asked.length = 0
      const named = [
        ...['in/b', 'in/b@1.0.0', 'urn:cnb:builder:in/b', 'from=builder:in/b@1.0.0', 'slipway/own'],
        ...[
          './anything',
          'here',
          'https://x.example/a.tgz',
          'docker://x/y',
          'ghcr.io/x/y',
          'localhost:5000/x',
        ],
        ...['team/stored', 'oci:dir', 'urn:cnb:registry:x/y@2.0.0'],
      ]
      const [order] = await orderOf({ named })
      assert.equal(order, `sys/first in/a ${'in/b '.repeat(4)}slipway/own ${'out/x '.repeat(9)}sys/last`)
      assert.deepEqual(
        asked.map(text => Object.values(JSON.parse(text)).join(' ')),
        [
          'path ./anything',
          'path here',
          'url https://x.example/a.tgz',
          'image docker://x/y',
          'image ghcr.io/x/y',
          'image localhost:5000/x',
          'image team/stored',
          'image oci:dir',
          'registry-id x/y 2.0.0',
        ],
      )
      assert.deepEqual(await orderOf({ named: ['in/b', 'from=builder'] }), [
        'sys/first in/b in/a in/b sys/last',
        'sys/first in/a in/b in/c sys/last',
      ])
    })

    it('never takes a slip in an id for an image of Docker Hub', async () => {
      for (const text of [
        'slipway/onw',
        'in/z',
        'in/b@2.0.0',
        'java',
        'from=builder:in/z',
        'urn:cnb:builder:z',
      ])
        await assert.rejects(orderOf({ named: [text] }), { code: 'BUILDPACK_UNKNOWN', exitCode: 3 }, text)
      await assert.rejects(orderOf({ named: ['ftp://x/y'] }), { exitCode: 3 })
    })

    it('leaves extensions out where it is told to', async () => {
      const extensions = async (skipExtensions: boolean) =>
        (await chooseBuildpacks({ ...base(), skipExtensions })).order.extensions.length
      assert.deepEqual([await extensions(false), await extensions(true)], [1, 0])
    })

    it('says where old stacks differ, and leaves it at that', async () => {
      const stack = (id: string, mixins = '') => `[[stacks]]\nid = "${id}"\nmixins = [${mixins}]\n`
      const buildpacks = [
        found('a/same', stack('acme.stack', '"git", "run:x", "mercurial"')),
        found('a/any', stack('*')),
        found('a/other', stack('io.other')),
        found('a/new', `${stack('io.other')}[[targets]]\nos = "linux"`),
      ]
      const told = recording()
      const members = buildpacks.map(({ descriptor: { id, version, api } }) => ({ id, version, api }))
      const builder = { stackId: 'acme.stack', mixins: ['git'] }
      await stackNotes({ buildpacks: members, extensions: [] }, buildpackList(buildpacks), builder, told)
      const text = told.lines.join('\n')
      assert.match(text, /a\/same@1\.0\.0 wants mercurial,/)
      assert.match(text, /a\/other@1\.0\.0 was written for io\.other, and this is acme\.stack/)
      assert.doesNotMatch(text, /a\/any|a\/new/)
    })
  })

  it('that a layer links to stay where they are', async () => {
    await write('outside/secret', 'secret')
    const tar = await tarOf(
      link('in', join(directory.path, 'outside')),
      entry('in/secret', { text: 'changed' }),
    )
    await assert.rejects(unpacked.layer(layerOf(tar)), { code: 'LAYER_REFUSED' })
    assert.equal(await readFile(join(directory.path, 'outside/secret'), 'utf8'), 'secret')
  })
})
