import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { coordinatesOf } from './coordinates.ts'
import { parseManifest } from './manifest.ts'

const manifest = (...lines: string[]) => parseManifest(Buffer.from(lines.join('\n')))
const properties = (groupId: string, artifactId: string, version: string) =>
  new Map(Object.entries({ groupId, artifactId, version }))

describe('coordinatesOf', () => {
  it('takes what Maven wrote into the jar', () => {
    const found = coordinatesOf('shop.jar', manifest(), [properties('org.example', 'shop', '1.2')])
    assert.deepEqual(found, { group: 'org.example', name: 'shop', version: '1.2' })
  })

  it('knows what tells jars of one version apart', () => {
    const { classifier } = coordinatesOf('quic-4.2-linux-x86_64.jar', manifest(), [
      properties('io.netty', 'quic', '4.2'),
    ])
    assert.equal(classifier, 'linux-x86_64')
  })

  it('takes the properties that the file is named after, where jars were merged', () => {
    const merged = [
      properties('org.jctools', 'jctools-core', '4.0.5'),
      properties('io.netty', 'netty-common', '4.2.12'),
    ]
    assert.equal(coordinatesOf('netty-common-4.2.12.jar', manifest(), merged).group, 'io.netty')
  })

  for (const [file, line, group] of [
    ['spring-boot-4.0.6.jar', 'Automatic-Module-Name: spring.boot', 'org.springframework.boot'],
    ['spring-web-7.0.7.jar', 'Automatic-Module-Name: spring.web', 'org.springframework'],
    [
      'micrometer-core-1.16.5.jar',
      'Implementation-Title: io.micrometer#micrometer-core;1.16.5',
      'io.micrometer',
    ],
    ['reactor-core-3.8.5.jar', 'Bundle-SymbolicName: io.projectreactor.reactor-core', 'io.projectreactor'],
    ['x-1.0.jar', 'Implementation-Vendor-Id: com.example', 'com.example'],
    ['x-1.0.jar', 'Implementation-Vendor-Id: The X Company', undefined],
  ] as const) {
    it(`finds the group of ${file} in ${line.split(':')[0]}: ${group ?? 'none'}`, () => {
      assert.equal(coordinatesOf(file, manifest(line), []).group, group)
    })
  }

  it('splits a file name at the version, or takes the manifest for it', () => {
    const found = coordinatesOf('jul-to-slf4j-2.0.17.jar', manifest(), [])
    assert.deepEqual(found, { name: 'jul-to-slf4j', version: '2.0.17' })
    assert.equal(coordinatesOf('plain.jar', manifest('Implementation-Version: 3'), []).version, '3')
  })
})
