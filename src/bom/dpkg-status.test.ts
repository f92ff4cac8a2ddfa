import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { componentsOfDpkg } from './dpkg-status.ts'

const status = `Package: libc6
Status: install ok installed
Architecture: amd64
Source: glibc (2.41-12)
Version: 2.41-12+deb13u1
Description: x
 Package: not-a-field
 .
 more

Package: gone
Status: deinstall ok config-files
Version: 1
Architecture: amd64

Package: openssl
Status: install ok installed
Version: 3.5.4-1
Architecture: amd64

Package: ../../evil
Version: 1

Package: no-version
`

describe('componentsOfDpkg', () => {
  it('lists installed packages with their package URLs', () => {
    assert.deepEqual(componentsOfDpkg(status, 'debian', '13'), [
      {
        type: 'library',
        name: 'libc6',
        version: '2.41-12+deb13u1',
        purl: 'pkg:deb/debian/libc6@2.41-12+deb13u1?arch=amd64&distro=debian-13&upstream=glibc%402.41-12',
      },
      {
        type: 'library',
        name: 'openssl',
        version: '3.5.4-1',
        purl: 'pkg:deb/debian/openssl@3.5.4-1?arch=amd64&distro=debian-13',
      },
    ])
  })

  it('needs neither states nor a release, as in images without dpkg', () => {
    const [found] = componentsOfDpkg('Package: base-files\nVersion: 12\n', 'debian', undefined)
    assert.equal(found?.purl, 'pkg:deb/debian/base-files@12')
  })
})
