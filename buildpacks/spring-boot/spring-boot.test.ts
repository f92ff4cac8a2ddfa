import assert from 'node:assert/strict'
import { readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { manifest, names, workbench, zipOf } from '../workbench.testing.ts'
import { build } from './build.ts'
import { detect } from './detect.ts'

const buildpack = 'spring-boot'
const bindings = { version: '2.0.4', files: { 'spring-cloud-bindings-2.0.4.jar': 'jar' } }
const dependencies = { 'spring-cloud-bindings': bindings }
const boot = (...lines: string[]) => ({
  'META-INF/MANIFEST.MF': manifest(
    'Spring-Boot-Version: 4.0.6',
    'Spring-Boot-Classes: BOOT-INF/classes/',
    'Spring-Boot-Lib: BOOT-INF/lib/',
    ...lines,
  ),
})
const library = (...entries: string[]) => zipOf(Object.fromEntries(entries.map(name => [name, ''])))
const FLUX = 'org/springframework/web/reactive/DispatcherHandler.class'

describe('spring-boot', () => {
  it('takes part in the build of any Java application', async () => {
    await using bench = await workbench({ buildpack, files: {} })
    const plan = await bench.detect(detect)
    assert.deepEqual(names(plan, 'provides'), ['spring-boot'])
    assert.deepEqual(names(plan, 'requires'), ['jvm-application', 'spring-boot'])
  })

  it('does and says nothing where the application is not one of Spring Boot', async () => {
    await using bench = await workbench({
      buildpack,
      files: { 'META-INF/MANIFEST.MF': manifest('Main-Class: a.B') },
    })
    assert.equal(await bench.build(build, ['spring-boot']), '')
    assert.equal(bench.table('launch.toml'), undefined)
  })

  it('labels the image and cuts it as the layers index says', async () => {
    const index = `- "dependencies":\n  - "BOOT-INF/lib/"\n- "snapshot-dependencies":\n- "application":\n  - "a[1]*.txt"\n`
    const lines = [
      'Implementation-Title: shop',
      'Implementation-Version: 1.2',
      'Spring-Boot-Layers-Index: BOOT-INF/layers.idx',
    ]
    const files = { ...boot(...lines), 'BOOT-INF/layers.idx': index, 'BOOT-INF/lib/x-1.jar': library() }
    await using bench = await workbench({ buildpack, files, dependencies })
    const printed = await bench.build(build, ['spring-boot'])
    const launch = bench.table('launch.toml')
    assert.deepEqual(launch?.labels, [
      { key: 'org.springframework.boot.version', value: '4.0.6' },
      { key: 'org.opencontainers.image.title', value: 'shop' },
      { key: 'org.opencontainers.image.version', value: '1.2' },
    ])
    assert.deepEqual(launch?.slices, [{ paths: ['BOOT-INF/lib'] }, { paths: ['a\\[1]\\*.txt'] }])
    assert.match(printed, /dependencies \(22 B\)\n +snapshot-dependencies \(0 B\)/)
  })

  it('keeps the application whole, and says so, where the index is not there', async () => {
    const files = boot('Spring-Boot-Layers-Index: BOOT-INF/layers.idx')
    await using bench = await workbench({ buildpack, files, dependencies })
    assert.match(await bench.build(build, ['spring-boot']), /WARNING: BOOT-INF\/layers\.idx is not there/)
    assert.equal(bench.table('launch.toml')?.slices, undefined)
  })

  for (const [kind, threads, entries] of [
    ['Reactive', '50', [FLUX]],
    [
      'Servlet',
      '250',
      [
        'jakarta/servlet/Servlet.class',
        'org/springframework/web/context/ConfigurableWebApplicationContext.class',
      ],
    ],
    [
      'Servlet',
      '250',
      [
        FLUX,
        'org/springframework/web/servlet/DispatcherServlet.class',
        'javax/servlet/Servlet.class',
        'org/springframework/web/context/ConfigurableWebApplicationContext.class',
      ],
    ],
    ['Application without a web', '50', ['jakarta/servlet/Servlet.class']],
  ] as const) {
    it(`expects ${threads} threads of ${entries.map(name => name.replace(/.*\/|\.class/g, '')).join(', ')}`, async () => {
      const files = { ...boot(), 'BOOT-INF/lib/x-1.jar': library(...entries) }
      await using bench = await workbench({ buildpack, files, dependencies })
      assert.ok((await bench.build(build, ['spring-boot'])).includes(kind))
      assert.equal(bench.file('web-application-type/env.launch/BPL_JVM_THREAD_COUNT.default'), threads)
    })
  }

  it('links Spring Cloud Bindings into the libraries, and switches it on at launch', async () => {
    await using bench = await workbench({ buildpack, files: boot(), dependencies })
    await bench.build(build, ['spring-boot'])
    const jar = 'spring-cloud-bindings-2.0.4.jar'
    const place = join(bench.layers, 'spring-cloud-bindings')
    assert.equal(readlinkSync(join(bench.application, 'BOOT-INF/lib', jar)), join(place, jar))
    assert.equal(readlinkSync(join(place, 'exec.d/spring-cloud-bindings')), '/cnb/lifecycle/launcher')
    assert.deepEqual(bench.table('spring-cloud-bindings.toml')?.types, {
      launch: true,
      build: false,
      cache: false,
    })
    assert.match(bench.file('spring-cloud-bindings.sbom.cdx.json'), /spring-cloud-bindings@2\.0\.4/)
  })

  it('adds no bindings where they are there already, or not wanted', async () => {
    const files = { ...boot(), 'BOOT-INF/lib/spring-cloud-bindings-2.0.3.jar': library() }
    await using bench = await workbench({ buildpack, files })
    assert.match(await bench.build(build, ['spring-boot']), /not adding another one/)
    const environment = { BP_SPRING_CLOUD_BINDINGS_DISABLED: 'true' }
    await using other = await workbench({ buildpack, files: boot(), environment })
    await other.build(build, ['spring-boot'])
    assert.equal(other.table('spring-cloud-bindings.toml'), undefined)
  })

  it('lists the libraries with coordinates and digests', async () => {
    const properties = 'groupId=org.example\nartifactId=cart\nversion=3.1\n'
    const files = {
      ...boot(),
      'BOOT-INF/lib/cart-3.1.jar': zipOf({ 'META-INF/maven/org.example/cart/pom.properties': properties }),
      'META-INF/maven/org.example/shop/pom.properties': properties.replace('cart', 'shop'),
    }
    await using bench = await workbench({ buildpack, files, dependencies })
    await bench.build(build, ['spring-boot'])
    const { components } = JSON.parse(bench.file('launch.sbom.cdx.json'))
    const [shop, cart] = components
    assert.equal(shop.purl, 'pkg:maven/org.example/shop@3.1')
    assert.equal(cart.purl, 'pkg:maven/org.example/cart@3.1')
    assert.deepEqual(
      cart.hashes.map(({ alg }: { alg: string }) => alg),
      ['SHA-1', 'SHA-256'],
    )
  })

  for (const path of ['../outside/', '/etc/', 'BOOT-INF/../../x'])
    it(`refuses a manifest that puts libraries at ${path}`, async () => {
      const files = {
        'META-INF/MANIFEST.MF': manifest('Spring-Boot-Version: 4.0.6', `Spring-Boot-Lib: ${path}`),
      }
      await using bench = await workbench({ buildpack, files, dependencies })
      await assert.rejects(bench.build(build, ['spring-boot']), { code: 'MANIFEST_REFUSED' })
    })
})
