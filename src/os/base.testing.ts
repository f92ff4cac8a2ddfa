import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type LayoutStore, openLayout } from '#oci'
import { recording, temporaryDirectory } from '#std'
import { openTestMirror, type TestMirror, type TestPackage } from '../sources/debian-mirror.testing.ts'
import type { AssemblyContext } from './assemble.ts'
import { parseRecipe, type Recipe } from './recipe.ts'

/** A mirror, a state directory and a store for tests of bases. */
export interface TestGround extends AsyncDisposable {
  readonly mirror: TestMirror
  readonly home: string
  readonly context: AssemblyContext & { readonly report: ReturnType<typeof recording> }
  readonly store: LayoutStore
  /** The same machine later: the archive is asked anew, all else stays. */
  again(): AssemblyContext & { readonly report: ReturnType<typeof recording> }
}

/** Packages with files of the kinds that Debian's have. */
export const PACKAGES: readonly TestPackage[] = [
  {
    name: 'base-files',
    version: '13',
    arch: 'amd64',
    files: {
      'etc/': '',
      'etc/os-release': 'ID=debian\nVERSION_ID="13"\n',
      'usr/': '',
      'usr/share/': '',
      'usr/share/base-files/profile': 'umask 022\n',
      'var/lib/': '',
    },
    scripts: { postinst: '#!/bin/sh\nset -e\ncp /usr/share/base-files/profile /etc/profile\n' },
  },
  {
    name: 'hello',
    version: '1:2.10-1',
    arch: 'amd64',
    fields: { Depends: 'libhello (>= 1.0), debconf (>= 0.5) | debconf-2.0' },
    files: {
      'bin/hello': '#!/bin/sh\necho hello\n',
      'usr/share/doc/hello/copyright': 'free\n',
      'usr/share/doc/hello/README': 'read me\n',
      'usr/share/man/man1/hello.1.gz': 'manual\n',
      'usr/share/locale/de/LC_MESSAGES/hello.mo': 'hallo\n',
    },
  },
  {
    name: 'libhello',
    version: '1.0-1',
    arch: 'amd64',
    fields: { 'Multi-Arch': 'same', Source: 'hello-src (2)' },
    files: { 'lib/libhello.so.1': 'ELF\n' },
  },
]

/** A recipe for tests. */
export function testRecipe(change = ''): Recipe {
  return parseRecipe(
    `name = "run:test"\nrole = "run"\nsummary = "A base for tests"\npackages = ["base-files", "hello"]\nexclude = ["debconf", "debconf-2.0"]\n${change}\n[releases.trixie]\nversion = "13"\nsuites = ["trixie"]\n`,
    'test.toml',
  )
}

/** Opens a ground whose mirror has published these packages. */
export async function testGround(packages: readonly TestPackage[] = PACKAGES): Promise<TestGround> {
  const mirror = await openTestMirror()
  const place = await temporaryDirectory(tmpdir(), 'base-test-')
  const home = join(place.path, 'home')
  await mirror.publish('trixie', packages)
  const again = () => ({ home, archive: mirror.archive(home), report: recording() })
  return {
    mirror,
    home,
    context: again(),
    store: openLayout(join(home, 'images')),
    again,
    async [Symbol.asyncDispose]() {
      await mirror[Symbol.asyncDispose]()
      await place[Symbol.asyncDispose]()
    },
  }
}
