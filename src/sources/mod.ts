export { type Artifact, type ArtifactStore, type Expectations, openArtifactStore } from './artifacts.ts'
export { readDeb, readDebControl } from './deb.ts'
export {
  type DebianArchive,
  type DebianLocator,
  type DebianOptions,
  isVanished,
  openDebianArchive,
} from './debian.ts'
export type { PackageIndex } from './debian-index.ts'
export { DEBIAN_KEYS } from './debian-keys.ts'
export type { DebianPackage } from './debian-packages.ts'
export { type Release, readInRelease } from './debian-release.ts'
export { type DebianMirrors, readDebianMirrors } from './debian-settings.ts'
export { compareDebianVersions } from './debian-version.ts'
export { type GoPlaces, type GoSettings, readGoSettings } from './go-settings.ts'
export { type GoModule, type GoModuleArtifact, type GoModules, openGoModules } from './gomod.ts'
export { type MavenCoordinates, type MavenRepositories, mavenPath, openMavenRepositories } from './maven.ts'
export {
  type MavenPlaces,
  type MavenRepository,
  readMavenRepositories,
  superPomIn,
} from './maven-settings.ts'
export { metered } from './metered.ts'
export { type NpmRegistry, type NpmVersion, openNpmRegistry } from './npm.ts'
export {
  configuredNpmRegistry,
  type NpmPlaces,
  type NpmSettings,
  npmRegistryIn,
  readNpmSettings,
} from './npm-settings.ts'
export { openPypiIndex, type PypiFile, type PypiIndex } from './pypi.ts'
export { indexIn, type PypiPlaces, type PypiSettings, readPypiSettings } from './pypi-settings.ts'
export type { Get, GetOptions, RegistryAccess } from './registry.ts'
export { unxz } from './unxz.ts'
export { openUnxzPool, type UnxzPool } from './unxz-pool.ts'
export { parseXml, type XmlElement } from './xml.ts'
