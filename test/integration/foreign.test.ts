import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { built, files, greeting, imageName, refused } from '../support/buildpack.ts'
import { checkout, type Story, story } from '../support/cli.ts'
import { type ForeignModule, openForeignWorkshop, type Workshop } from '../support/foreign.ts'

/** As buildpacks were written in 2021: positional arguments, a stack, a command for a shell, profile.d. */
const OLD: ForeignModule = {
  toml: 'api = "0.7"\n[buildpack]\nid = "acme/old"\nversion = "1.2.3"\n[[stacks]]\nid = "acme.stack"',
  detect: `printf "[[provides]]\\nname = 'tool'\\n" >"$2"`,
  build: `layers=$1
echo "old: $(id -u):$(id -g) HOME=$HOME setting=$(cat "$HOME/.setting") OPERATOR=$OPERATOR $(head -c1 /cnb/order.toml)"
ls -A /cnb/lifecycle | tr '\\n' ' '
[[ $(cat "$3") == *'wanted = true'* ]] && echo "old: asked for"
echo kept >"$HOME/.old"
mkdir -p "$layers/tool/bin" "$layers/tool/profile.d"
printf '#!/bin/sh\\necho "tool $*"\\n' >"$layers/tool/bin/tool"; chmod +x "$layers/tool/bin/tool"
echo 'export PROFILE=sourced' >"$layers/tool/profile.d/tool.sh"
printf '[types]\\nlaunch = true\\nbuild = true\\ncache = true\\n' >"$layers/tool.toml"
printf '[[processes]]\\ntype = "web"\\ncommand = "cat greeting; tool $PROFILE"\\n' >"$layers/launch.toml"`,
}

/** As they are written now: variables, targets, exec.d, bills of materials, things kept from build to build. */
const NEW: ForeignModule = {
  toml: 'api = "0.10"\n[buildpack]\nid = "acme/new"\nversion = "0.1.0"\nsbom-formats = ["application/vnd.cyclonedx+json"]\n[[targets]]\nos = "linux"\narch = "amd64"\n[[targets]]\nos = "linux"\narch = "arm64"',
  detect: `printf "[[requires]]\\nname = 'tool'\\n[requires.metadata]\\nwanted = true\\n" >"$CNB_BUILD_PLAN_PATH"`,
  build: `cd "$CNB_LAYERS_DIR"
echo "new: home $(cat "$HOME/.old"), $(tool from-path), builds before: $(cat store.toml 2>/dev/null | grep -c builds || true)"
touch "/usr/written" "$CNB_BUILDPACK_DIR/written" 2>/dev/null && echo WROTE
dd if=/dev/zero of=/tmp/download bs=1M count=3 status=none
mkdir -p layer/exec.d layer/env.launch
printf 'by exec.d' >layer/env.launch/WORD.default
printf '#!/bin/sh\\nprintf "EXECD = \\\\"yes\\\\"\\\\n" >&3\\n' >layer/exec.d/helper; chmod +x layer/exec.d/helper
printf '[types]\\nlaunch = true\\n' >layer.toml
printf '{"bomFormat":"CycloneDX","specVersion":"1.4","components":[{"type":"library","name":"of-acme"}]}' >layer.sbom.cdx.json
printf '[metadata]\\nbuilds = 1\\n' >store.toml
printf '[[processes]]\\ntype = "show"\\ncommand = ["bash", "-c", "echo $EXECD $WORD $(id -u)"]\\n' >launch.toml`,
}

const NONE: ForeignModule = {
  toml: 'api = "0.9"\n[buildpack]\nid = "acme/none"\nversion = "1.0.0"\n[[stacks]]\nid = "*"',
  detect: 'echo nothing for me here; exit 100',
  build: 'exit 1',
}

const COMPOSITE: ForeignModule = {
  toml: `api = "0.10"
[buildpack]
id = "acme/all"
version = "9.0.0"
[[order]]
group = [{ id = "acme/none", version = "1.0.0" }, { id = "acme/new", version = "0.1.0" }]
[[order]]
group = [{ id = "acme/old", version = "1.2.3" }, { id = "acme/none", version = "1.0.0", optional = true }, { id = "acme/new", version = "0.1.0" }]`,
}

/** Says its name. */
const says = (id: string, more = ''): ForeignModule => ({
  toml: `api = "0.10"\n[buildpack]\nid = "${id}"\nversion = "1.0.0"\n[[targets]]\nos = "linux"`,
  detect: 'exit 0',
  build: `echo "${id} speaks"\n${more}`,
})

describe('builders and buildpacks of others', async () => {
  const place: Story = story()
  const opened = await openForeignWorkshop(place)
  if (typeof opened === 'string') {
    it('cannot be made on this machine', t => t.skip(opened))
    return
  }
  const shop: Workshop = opened
  const app = greeting(place)
  let builder = ''
  let own = ''
  before(async () => {
    await shop.bases()
    await shop.crane('copy', `${shop.host}/base/run`, `${shop.host}/mirror/run`)
    const modules = { old: OLD, new: NEW, none: NONE, all: COMPOSITE }
    for (const [name, module] of Object.entries(modules)) shop.module(name, module)
    const list = Object.keys(modules).map(uri => `[[buildpacks]]\nuri = "${uri}"\n`)
    builder = await shop.builder(
      'builder',
      `${list.join('')}[[order]]\ngroup = [{ id = "acme/all", version = "9.0.0" }]
[[run.images]]\nimage = "${shop.host}/base/run"\nmirrors = ["${shop.host}/mirror/run"]`,
      `[[build.env]]\nname = "OPERATOR"\nvalue = "the operator's"`,
    )
    own = `docker://${builder}`
  })
  after(async () => {
    const { stdout } = await place.slipway(['images', '--quiet'])
    const names = stdout.split('\n').flatMap(line => line.split(' ')[0] || [])
    await place.slipway(['rm', '--force', ...names.filter(name => name.startsWith(shop.host))])
    await shop[Symbol.asyncDispose]()
    place[Symbol.dispose]()
  })
  const words = (name: string) => [name, '--path', app]

  it('made by pack with the reference lifecycle are used as file systems', async () => {
    const name = imageName()
    const { said, digest } = await built(place, [...words(name), '--builder', own])
    assert.match(said, /2 of 3 buildpacks participating\nacme\/old 1\.2\.3\nacme\/new 0\.1\.0/)
    assert.match(
      said,
      /^old: 2000:2100 HOME=\/home\/vcap setting=of the image OPERATOR=the operator's \[\nnode old: asked for$/m,
    )
    assert.match(said, /^new: home kept, tool from-path, builds before: 0$/m)
    assert.doesNotMatch(said, /Warning/)
    assert.doesNotMatch(said, /WROTE/)
    assert.equal((await place.slipway(['run', name, '--process', 'web'])).stdout, 'Ahoy\ntool sourced\n')
    assert.equal((await place.slipway(['run', name, '--process', 'show'])).stdout, 'yes by exec.d 2000\n')
    assert.match((await place.slipway(['sbom', 'show', name])).stdout, /of-acme/)

    const again = await built(place, [...words(name), '--builder', own])
    assert.match(again.said, /Reusing layer 'acme\/old:tool'/)
    assert.match(again.said, /builds before: 1$/m)
    assert.notEqual(again.said.includes('Pulling'), true)
    assert.equal(again.digest, digest)

    // The same builder from a directory, chosen by the project.
    await shop.crane('pull', '--format=oci', builder, 'layout')
    place.own('layout')
    const project = files(place, 'with-project', {
      greeting: 'Ahoy\n',
      'project.toml': `[_]\nschema-version = "0.2"\n[io.buildpacks]\nbuilder = "oci:${place.directory}/layout"\nexclude = ["project.toml"]\n`,
    })
    assert.equal((await built(place, [imageName(), '--path', project])).digest, digest)

    // What the image says is what others need to rebase it and to build on it.
    await place.slipway(['copy', name, `docker://${shop.host}/app`])
    const { config } = JSON.parse(await shop.crane('config', `${shop.host}/app`)) as {
      config: { Labels: Record<string, string>; User: string }
    }
    const label = JSON.parse(config.Labels['io.buildpacks.lifecycle.metadata'] ?? '') as {
      runImage: { image: string; mirrors: string[] }
    }
    assert.equal(config.User, '2000:2100')
    assert.equal(label.runImage.image, `${shop.host}/base/run`)
    assert.deepEqual(label.runImage.mirrors, [`${shop.host}/mirror/run`])
    await shop.crane('export', `${shop.host}/app`, 'app.tar')
    const listing = ['-tvf', join(place.directory, 'app.tar'), '--numeric-owner', '--wildcards']
    const layer = execFileSync('tar', [...listing, '*layers/acme*', '*workspace*'], { encoding: 'utf8' })
    assert.match(layer, /2000\/2100 .* \/layers\/acme_old\/tool\/bin\/tool/)
    assert.match(layer, /2000\/2100 .* \/workspace\/greeting/)
    assert.match(await shop.pack('inspect', `${shop.host}/app`), /acme\/old/)
  })

  it('are found in every form, before, after and in place of those of the builder', async () => {
    const version = { id: 'acme/dep', version: '1.0.0' }
    shop.module('dep', says('acme/dep'))
    shop.module('meta', {
      toml: `api = "0.10"\n[buildpack]\nid = "acme/meta"\nversion = "1.0.0"\n[[order]]\ngroup = [{ id = "acme/dep", version = "1.0.0" }]`,
    })
    shop.write('meta/package.toml', '[buildpack]\nuri = "."\n[[dependencies]]\nuri = "../dep"\n')
    for (const name of ['file', 'image', 'archive', 'web']) shop.module(name, says(`acme/${name}`))
    await shop.pack(
      'buildpack',
      'package',
      'file.cnb',
      '--format',
      'file',
      '-p',
      'file',
      '--target',
      'linux/amd64',
    )
    await shop.pack(
      'buildpack',
      'package',
      `${shop.host}/bp/meta`,
      '--publish',
      ...['-c', 'meta/package.toml', '--flatten'],
      ...['--target', 'linux/amd64'],
    )
    await shop.pack(
      'buildpack',
      'package',
      `${shop.host}/bp/image`,
      '--publish',
      '-p',
      'image',
      '--target',
      'linux/amd64',
    )
    const digest = (await shop.crane('digest', `${shop.host}/bp/image`)).trim()
    const entry = {
      ns: 'acme',
      name: 'image',
      version: '1.0.0',
      yanked: false,
      addr: `${shop.host}/bp/image@${digest}`,
    }
    shop.write('index/im/ag/acme_image', `${JSON.stringify(entry)}\n`)
    for (const name of ['archive', 'web'])
      execFileSync('tar', ['-C', name, '-czf', `${name}.tgz`, '--mode=a-x,a+X', '.'], {
        cwd: place.directory,
      })
    const server = createServer((request, response) =>
      request.url === '/web.tgz'
        ? response.end(readFileSync(join(place.directory, 'web.tgz')))
        : response.writeHead(404).end(),
    )
    await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    try {
      const end = says(
        'acme/end',
        `printf '[[processes]]\\ntype = "web"\\ncommand = ["cat", "greeting"]\\n' >"$CNB_LAYERS_DIR/launch.toml"`,
      )
      const directory = shop.module('end', end)
      const forms = [
        'file.cnb',
        './archive.tgz',
        `${address}/web.tgz`,
        'urn:cnb:registry:acme/image@1.0.0',
        `docker://${shop.host}/bp/meta`,
        'urn:cnb:builder:acme/old@1.2.3',
        'from=builder:acme/new',
        `file://${directory}`,
      ]
      const list = forms.flatMap(form => ['--buildpack', form])
      const { said } = await built(place, [...words(imageName()), '--builder', own, '-R', 'index', ...list])
      const order = [...said.matchAll(/^(acme\/\S+) speaks$|^(old|new): (?:2000|home)/gm)].map(
        ([, id, name]) => id ?? name,
      )
      assert.deepEqual(order, [
        'acme/file',
        'acme/archive',
        'acme/web',
        'acme/image',
        version.id,
        'old',
        'new',
        'acme/end',
      ])
      assert.match(said, /Downloaded http:\/\/127\.0\.0\.1:\d+\/web\.tgz \(sha256:[0-9a-f]{64}\)/)

      const around = ['--pre-buildpack', 'meta', '--post-buildpack', directory]
      const { said: more } = await built(place, [...words(imageName()), '--builder', own, ...around])
      assert.match(more, /^acme\/dep 1\.0\.0\nacme\/old 1\.2\.3\nacme\/new 0\.1\.0\nacme\/end 1\.0\.0$/m)

      const cases: [form: string, exitCode: number, expected: RegExp][] = [
        ['acme/unknown', 3, /acme\/unknown[\s\S]*acme\/all/],
        ['urn:cnb:builder:acme/unknown', 3, /acme\/unknown/],
        [`${address}/none.tgz`, 3, /404/],
        ['lifecycle.tar', 3, /buildpack\.toml/],
        ['builder.toml', 3, /builder\.toml/],
        [`docker://${shop.host}/base/run`, 3, /io\.buildpacks\.buildpackage\.metadata/],
        [`docker://${shop.host}/bp/gone`, 3, /bp\/gone/],
        [`${shop.host}/bp/gone`, 3, /bp\/gone/],
      ]
      for (const [form, exitCode, expected] of cases)
        assert.match(
          await refused(place, exitCode, [
            'build',
            ...words(imageName()),
            '--builder',
            own,
            '--buildpack',
            form,
          ]),
          expected,
          form,
        )
    } finally {
      server.close()
    }
  })

  it('written in Go with libcnb run as they are', async () => {
    const directory = shop.module('go', {
      toml: 'api = "0.8"\n[buildpack]\nid = "acme/go"\nversion = "2.0.0"\n[[stacks]]\nid = "*"',
    })
    const source = join(place.directory, 'go-source')
    cpSync(join(checkout, 'test/foreign-go'), source, { recursive: true })
    const env = { ...process.env, CGO_ENABLED: '0' }
    execFileSync('go', ['build', '-trimpath', '-o', join(directory, 'bin/build'), '.'], { cwd: source, env })
    symlinkSync('build', join(directory, 'bin/detect'))
    const name = imageName()
    const build = [...words(name), '--buildpack', 'go', '--env', 'NAME=mine']
    const { said } = await built(place, build)
    assert.match(said, /^Build 1 of mine by acme\/go on io\.slipway\.debian\.\w+, loud: true$/m)
    assert.match((await built(place, build)).said, /^Build 2 of mine/m)
    assert.equal((await place.slipway(['run', name])).stdout, 'Ahoy\nfrom libcnb by exec.d\n')
  })

  it('may switch the run image with an extension, and do nothing else with one', async () => {
    await shop.crane(
      'mutate',
      `${shop.host}/base/run`,
      '-t',
      `${shop.host}/base/switched`,
      '-l',
      'switched=yes',
    )
    const extension = (generate: string): ForeignModule => ({
      toml: 'api = "0.9"\n[extension]\nid = "acme/ext"\nversion = "0.0.1"',
      detect: `printf "[[provides]]\\nname = 'curl'\\n" >"$2"`,
      generate: `echo "generating with $CNB_TARGET_OS"\n${generate}`.replace(' with $CNB_TARGET_OS', ''),
    })
    shop.module('needs', {
      toml: 'api = "0.9"\n[buildpack]\nid = "acme/needs"\nversion = "1.0.0"\n[[stacks]]\nid = "*"',
      detect: `printf "[[requires]]\\nname = 'curl'\\n" >"$2"`,
      build: `echo "plan: $(cat "$3")"; printf '[[processes]]\\ntype = "web"\\ncommand = ["cat", "greeting"]\\n' >"$1/launch.toml"`,
    })
    const make = (name: string, generate: string) => {
      shop.module(name, extension(generate))
      return shop.builder(
        `builder-${name}`,
        `[[buildpacks]]\nuri = "needs"\n[[extensions]]\nid = "acme/ext"\nversion = "0.0.1"\nuri = "${name}"
[[order]]\ngroup = [{ id = "acme/needs", version = "1.0.0" }]
[[order-extensions]]\ngroup = [{ id = "acme/ext", version = "0.0.1" }]
[[run.images]]\nimage = "${shop.host}/base/run"`,
      )
    }
    const switching = await make(
      'switching',
      `printf 'ARG base_image\\nFROM ${shop.host}/base/switched\\n' >"$1/run.Dockerfile"`,
    )
    const name = imageName()
    const { said } = await built(place, [...words(name), '--builder', `docker://${switching}`])
    assert.match(said, /^acme\/ext {3}0\.0\.1\nacme\/needs 1\.0\.0$/m)
    assert.match(said, /^plan: $/m)
    assert.match(said, /Run image: \S+\/base\/switched \(chosen by acme\/ext@0\.0\.1\)/)
    await place.slipway(['copy', name, `docker://${shop.host}/switched`])
    const config = await shop.crane('config', `${shop.host}/switched`)
    assert.match(config, /"switched":"yes"/)
    assert.match(config, /base\/switched/)
    assert.match(
      await refused(place, 20, [
        'build',
        ...words(imageName()),
        '--builder',
        `docker://${switching}`,
        '--skip-extensions',
      ]),
      /acme\/needs requires curl/,
    )
    const running = await make(
      'running',
      `printf 'FROM x\\nRUN apt-get install curl\\n' >"$1/run.Dockerfile"`,
    )
    assert.match(
      await refused(place, 92, ['build', ...words(imageName()), '--builder', `docker://${running}`]),
      /acme\/ext@0\.0\.1\n {2}Why: line 2 of its run\.Dockerfile is "RUN apt-get install curl"/,
    )
  })

  it('reach nothing of this machine through links, and are refused in words', async () => {
    const secret = join(place.directory, 'secret')
    writeFileSync(secret, 'of the person')
    place.own('secret')
    const evil = join(place.directory, 'evil')
    shop.write('evil/cnb/order.toml', '[[order]]\ngroup = [{ id = "acme/look", version = "1.0.0" }]\n')
    shop.write('evil/cnb/build-config/env/GOOD', 'good')
    shop.write('evil/platform/env/.keep', '')
    symlinkSync(secret, join(evil, 'cnb/build-config/env/BAD'))
    symlinkSync(secret, join(evil, 'platform/env/WORSE'))
    symlinkSync(place.directory, join(evil, 'cnb/outside'))
    shop.module('evil/cnb/buildpacks/acme_look/1.0.0', {
      ...says('acme/look'),
      build: `env; cat /cnb/outside/secret || true; printf '[[processes]]\\ntype = "web"\\ncommand = ["cat", "greeting"]\\n' >"$CNB_LAYERS_DIR/launch.toml"`,
    })
    execFileSync('tar', ['-C', 'evil', '-cf', 'evil.tar', '.'], { cwd: place.directory })
    await shop.crane(
      'append',
      '-b',
      `${shop.host}/base/build`,
      '-f',
      'evil.tar',
      '-t',
      `${shop.host}/acme/evil`,
    )
    const build = ['build', ...words(imageName()), '--builder', `docker://${shop.host}/acme/evil`]
    assert.match(await refused(place, 3, build), /names no run image/)
    const { said } = await built(place, [...build.slice(1), '--run-image', `${shop.host}/base/run`])
    assert.match(said, /^GOOD=good$/m)
    assert.ok(!said.includes('of the person'), said)

    const cases: [builder: string, expected: RegExp][] = [
      [`${shop.host}/base/plain`, /CNB_USER_ID/],
      [`${shop.host}/base/build`, /order\.toml/],
      [`${shop.host}/acme/gone`, /acme\/gone/],
      ['oci:nowhere', /nowhere/],
    ]
    for (const [name, expected] of cases)
      assert.match(
        await refused(place, 3, ['build', ...words(imageName()), '--builder', name]),
        expected,
        name,
      )
    assert.match(
      await refused(place, 3, ['build', ...words(imageName()), '--locked', '--builder', own]),
      /digest/,
    )
  })
})
