import type { Bill } from './component.ts'

/** A bill that uses everything a component can say. */
export const everything: Bill = {
  subject: { type: 'container', name: 'shop', version: 'sha256:00' },
  created: '2026-11-24T12:00:00.500Z',
  components: [
    {
      type: 'operating-system',
      name: 'debian',
      version: '13',
      supplier: 'Debian',
    },
    {
      type: 'library',
      name: 'libstdc++6',
      version: '14.2.0-19+b1',
      purl: 'pkg:deb/debian/libstdc%2B%2B6@14.2.0-19+b1?arch=amd64&distro=debian-13',
      cpes: ['cpe:2.3:a:gnu:libstdc:14.2.0:*:*:*:*:*:*:*', 'cpe:2.3:a:gnu:gcc:14.2.0:*:*:*:*:*:*:*'],
      licenses: ['GPL-3.0-or-later WITH GCC-exception-3.1'],
      hashes: { 'SHA-256': 'a'.repeat(64), 'SHA-1': 'b'.repeat(40) },
      properties: { 'io.slipway.layer': 'base' },
    },
    { type: 'library', name: 'shop', version: '', group: 'org.example', licenses: ['Apache-2.0', 'Our own'] },
    { type: 'application', name: 'temurin', version: '21.0.9', licenses: ['GPL-2.0-only'] },
  ],
}
