export { type Component, purl } from '#bom'
export {
  byBytes,
  digestOf,
  isDirectory,
  isFile,
  isInside,
  isSystemError,
  javaTruststore,
  openZip,
  Problem,
  parseToml,
  printCertificates,
  readCertificates,
  readIfExists,
  removeTree,
  type TomlTable,
  type ZipArchive,
  type ZipEntry,
} from '#std'
export type { Binding, Bindings } from './bindings.ts'
export { type Configuration, splitWords } from './configuration.ts'
export type { Build, BuildContext, Buildpack, Detect, DetectContext, RunOptions } from './context.ts'
export type { Dependency, DependencyRequest } from './dependency.ts'
export type { BuildpackDescriptor, ConfigurationVariable } from './descriptor.ts'
export { type Detection, fail, type PlanSection, pass, type Requirement } from './detection.ts'
export type { EnvironmentWriter, LayerEnvironment } from './environment.ts'
export { explodeZip } from './explode.ts'
export { findFiles } from './find-files.ts'
export {
  componentsOfGo,
  type GoBuildInfo,
  type GoModuleInfo,
  parseGoBuildInfo,
  readGoBuildInfo,
} from './go/build-info.ts'
export { copyTree, linkTree } from './install.ts'
export { componentsOfJars, javaComponents } from './java/inventory.ts'
export { type Jar, readJar } from './java/jar.ts'
export { type Manifest, parseManifest, readManifest } from './java/manifest.ts'
export type { Launch, Process } from './launch.ts'
export type { KeptLayer, Layer, LayerPlan, Layers, LayerTypes, MadeLayer } from './layer.ts'
export type { Log } from './log.ts'
export { main } from './main.ts'
export { componentsOfNpmLock, type LockedPackage, NPM_LOCKS, type NpmLock, readNpmLock } from './node/lock.ts'
export { type NodePackage, readNodePackage, wantsPackages } from './node/package.ts'
export type { Call } from './open-context.ts'
export { buildPhase, detectPhase, NOT_DETECTED } from './phases.ts'
export { needsShell } from './shell-words.ts'
export { sourceDigest, variablesDigest } from './source-digest.ts'
export { type Kept, matchesOrBelow, removeSource } from './source-removal.ts'
export type { Target } from './target.ts'
