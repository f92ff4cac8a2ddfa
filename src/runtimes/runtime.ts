import type { Digest } from '#std'

/** What a buildpack asks for: a runtime by name, a version line, and where it will run. */
export interface RuntimeRequest {
  /** `jdk`, `jre`, `maven`, `tomcat`, `spring-cloud-bindings`, `node` or `npm`. */
  readonly name: string
  /** A whole version or the start of one (`21`, `3.9`, `21.*`), for `node` and `npm` also a range (`>=20 <23`); empty for the newest of the default line. */
  readonly version: string
  readonly arch: 'amd64' | 'arm64'
  /** The base that the runtime will stand on. */
  readonly base: { readonly distro: string; readonly version: string }
  readonly options?: Readonly<Record<string, unknown>>
}

/** A package inside a runtime, for bills of materials. */
export interface RuntimeComponent {
  readonly type: 'application' | 'library' | 'operating-system'
  readonly name: string
  readonly version: string
  readonly purl: string
  readonly cpes?: readonly string[]
  readonly licenses?: readonly string[]
}

/** What a tree of programs asks of the operating system under it. */
export interface Needs {
  /** Highest symbol version of glibc that is asked for, `2.34`; absent where no file is linked against it. */
  readonly glibc?: string
  /** Highest `GLIBCXX_` version that is asked for, `3.4.29`. */
  readonly glibcxx?: string
  /** Shared objects that are not in the tree, sorted. */
  readonly sonames: readonly string[]
}

/** One fetched file that a runtime was made of. `locator` never names a host. */
export interface LockedArtifact {
  readonly source: 'deb' | 'npm' | 'maven' | 'pypi' | 'go'
  /** deb: pool path; npm and Go: `name@version`; Maven: path in the repository; PyPI: file name. */
  readonly locator: string
  readonly sha256: string
  readonly size: number
  /** Name and version of the package, for messages and bills of materials. */
  readonly name: string
  readonly version: string
  /** deb only: the suite in whose signed index it was found. */
  readonly suite?: string
}

/** What pins a runtime in a lock file. Equal entries give equal trees. */
export interface RuntimeLock {
  readonly name: string
  readonly version: string
  readonly arch: 'amd64' | 'arm64'
  /** Which recipe and which revision of it made the tree, `debian-java@1`. */
  readonly recipe: string
  /** Digest of the finished tree. */
  readonly tree: Digest
  readonly artifacts: readonly LockedArtifact[]
}

/** A runtime ready to be used: an unpacked, read-only, relocatable tree, and what must be known of it. */
export interface Runtime {
  readonly name: string
  readonly version: string
  readonly digest: Digest
  /** The tree on this machine. */
  readonly path: string
  readonly purl: string
  readonly cpes: readonly string[]
  readonly licenses: readonly string[]
  /** Everything inside, the runtime itself first. */
  readonly components: readonly RuntimeComponent[]
  readonly needs: Needs
  /** Environment that programs of the runtime want; `$ROOT` stands for the place of the tree. */
  readonly environment: Readonly<Record<string, string>>
  /** What a buildpack may want to know: for a `jdk`, `jlink.modules` is a module list fit for servers. */
  readonly hints: Readonly<Record<string, string>>
  readonly lock: RuntimeLock
}
