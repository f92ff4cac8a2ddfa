import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { type Bill, LAYER_PROPERTY } from '#bom'
import { digestOf, readAll, recording, silent } from '#std'
import {
  type AppImage,
  cycloneDx,
  layerTar,
  temporaryStore,
  writeAppImage,
} from '../images/app-image.testing.ts'
import { findImage } from '../images/find-image.ts'
import { describeImage, downloadSbom, printBill } from './sbom.ts'

const status = 'Package: libc6\nStatus: install ok installed\nVersion: 2.41-12\nArchitecture: amd64\n'
const osRelease = 'ID=debian\nVERSION_ID="13"\n'
const launch = '/layers/sbom/launch'
const listed = ({ components }: Bill) =>
  components.map(({ name, properties }) => `${properties?.[LAYER_PROPERTY]} ${name}`)

async function described(wanted: AppImage, part?: string, report = silent) {
  await using place = await temporaryStore()
  await writeAppImage(place.store, wanted)
  return await describeImage(await findImage(place.store, 'shop'), 'shop', { part }, report)
}

describe('describeImage', () => {
  const base = [{ 'etc/os-release': osRelease, 'var/lib/dpkg/status': status }]

  it('joins the packages of the base with what buildpacks and launcher described', async () => {
    const sbom = {
      [`${launch}/acme_bp/sbom.cdx.json`]: cycloneDx('for-launch'),
      [`${launch}/acme_bp/dep/sbom.cdx.json`]: cycloneDx('left-pad', 'a-first'),
      [`${launch}/buildpacksio_lifecycle/launcher/sbom.cdx.json`]: cycloneDx('launcher-module'),
      [`${launch}/sbom.legacy.json`]: 'null\n',
    }
    const bill = await described({ base, sbom })
    assert.deepEqual(listed(bill), [
      'base debian',
      'base libc6',
      'acme/bp:dep a-first',
      'acme/bp:dep left-pad',
      'acme/bp for-launch',
      'launcher launcher-module',
    ])
    assert.equal(bill.subject?.name, 'shop')
    assert.match(bill.subject?.purl ?? '', /^pkg:oci\/shop@sha256:[0-9a-f]{64}\?tag=latest$/)
    assert.equal(bill.created, '1980-01-01T00:00:01Z')
  })

  it('takes the bill of the base itself where the base has one, instead of reading packages', async () => {
    const papers = {
      'cnb/sbom/12345678.cdx.json': cycloneDx('from-the-lock'),
      'cnb/sbom/12345678.spdx.json': '{}',
    }
    const label = digestOf(await readAll(layerTar(papers)))
    const bill = await described({ base: [...base, papers], labels: { 'io.buildpacks.base.sbom': label } })
    assert.deepEqual(listed(bill), ['base from-the-lock', 'acme/bp:dep left-pad'])
  })

  it('reads packages of images without dpkg, and none above the base', async () => {
    const distroless = [
      { 'usr/lib/os-release': osRelease, 'var/lib/dpkg/status.d/tzdata': 'Package: tzdata\nVersion: 1\n' },
    ]
    assert.deepEqual(listed(await described({ base: distroless, sbom: {} })), ['base debian', 'base tzdata'])
    assert.deepEqual(
      listed(await described({ base: [{ x: '1' }], sbom: { 'var/lib/dpkg/status': status } })),
      [],
    )
  })

  it('lists what is described in several formats once, and reads SPDX where there is no CycloneDX', async () => {
    const spdx = JSON.stringify({
      spdxVersion: 'SPDX-2.3',
      creationInfo: {},
      packages: [{ SPDXID: 'x', name: 'from-spdx' }],
    })
    const both = {
      [`${launch}/acme_bp/dep/sbom.cdx.json`]: cycloneDx('a'),
      [`${launch}/acme_bp/dep/sbom.spdx.json`]: spdx,
    }
    assert.deepEqual(listed(await described({ sbom: both })), ['base debian', 'acme/bp:dep a'].slice(1))
    const one = {
      [`${launch}/acme_bp/dep/sbom.spdx.json`]: spdx,
      [`${launch}/acme_bp/dep/sbom.syft.json`]: '{}',
    }
    assert.deepEqual(listed(await described({ sbom: one })), ['acme/bp:dep from-spdx'])
  })

  it('describes one part, or all layers of a buildpack, and says which parts there are', async () => {
    const sbom = {
      [`${launch}/acme_bp/dep/sbom.cdx.json`]: cycloneDx('a'),
      [`${launch}/acme_bp/two/sbom.cdx.json`]: cycloneDx('b'),
    }
    assert.deepEqual(listed(await described({ base, sbom }, 'acme/bp:two')), ['acme/bp:two b'])
    assert.deepEqual(listed(await described({ base, sbom }, 'acme/bp')), ['acme/bp:dep a', 'acme/bp:two b'])
    await assert.rejects(described({ base, sbom }, 'acme'), {
      code: 'PART_UNKNOWN',
      why: /base, acme\/bp:dep, acme\/bp:two/,
    })
  })

  it('leaves out a document that is none, and says so', async () => {
    const report = recording()
    const sbom = {
      [`${launch}/acme_bp/dep/sbom.cdx.json`]: '{"bomFormat":',
      [`${launch}/acme_bp/two/sbom.cdx.json`]: cycloneDx('b'),
    }
    assert.deepEqual(listed(await described({ sbom }, undefined, report)), ['acme/bp:two b'])
    assert.match(
      report.lines.join('\n'),
      /Warning: layers\/sbom\/launch\/acme_bp\/dep\/sbom\.cdx\.json of the image is left out/,
    )
  })

  it('refuses names that could be taken for other places', async () => {
    for (const name of [
      'acme_bp/../sbom.cdx.json',
      '../../../etc/sbom.cdx.json',
      'acme_bp/a\u001bb/sbom.cdx.json',
      'acme_bp/./sbom.cdx.json',
    ]) {
      await assert.rejects(
        described({ sbom: { [`${launch}/${name}`]: cycloneDx('a') } }),
        { code: 'BILL_REFUSED' },
        name,
      )
    }
  })

  it('prints the same bytes for the same image', async () => {
    for (const format of ['cyclonedx', 'spdx'] as const) {
      const one = printBill(await described({ base }), format)
      assert.equal(printBill(await described({ base }), format), one)
    }
  })
})

describe('downloadSbom', () => {
  it('writes the documents as they are, and the whole image in both formats', async () => {
    await using place = await temporaryStore()
    await writeAppImage(place.store)
    const directory = join(place.path, 'papers')
    const written = await downloadSbom(await findImage(place.store, 'shop'), 'shop', directory, {}, silent)
    assert.deepEqual(written, [
      'image.cdx.json',
      'image.spdx.json',
      'layers/sbom/launch/acme_bp/dep/sbom.cdx.json',
    ])
    const found = (await readdir(directory, { recursive: true, withFileTypes: true })).filter(each =>
      each.isFile(),
    )
    assert.equal(found.length, 3)
    assert.equal(
      await readFile(join(directory, 'layers/sbom/launch/acme_bp/dep/sbom.cdx.json'), 'utf8'),
      cycloneDx('left-pad'),
    )
    assert.equal(JSON.parse(await readFile(join(directory, 'image.spdx.json'), 'utf8')).packages.length, 2)
  })

  it('keeps the places of the specification wherever the image was built', async () => {
    await using place = await temporaryStore()
    const sbom = { '/elsewhere/sbom/launch/acme_bp/dep/sbom.cdx.json': cycloneDx('a') }
    const image = await writeAppImage(place.store, { sbom })
    const Env = ['CNB_LAYERS_DIR=/elsewhere']
    await place.store.write(
      { ...image, config: { ...image.config, config: { ...image.config.config, Env } } },
      ['shop'],
    )
    const written = await downloadSbom(
      await findImage(place.store, 'shop'),
      'shop',
      join(place.path, 'papers'),
      { part: 'acme/bp' },
      silent,
    )
    assert.ok(written.includes('layers/sbom/launch/acme_bp/dep/sbom.cdx.json'))
  })
})
