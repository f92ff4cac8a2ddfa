export {
  type BaseJobOptions,
  buildBase,
  type ListedBase,
  type LockedBase,
  listBases,
  lockBases,
  type WantedBase,
} from './bases/base-jobs.ts'
export {
  type BaseChoice,
  type BaseImage,
  type BaseRoot,
  type Bases,
  type BasesOptions,
  openBases,
} from './bases/bases.ts'
export { buildImage } from './build/build.ts'
export { parseCreationTime } from './build/created.ts'
export { type BuildOutput, parseOutput } from './build/output.ts'
export { parsePlatform } from './build/platform.ts'
export {
  type BindingSource,
  parseBinding,
  parseVariable,
  readVariableFile,
} from './build/platform-directory.ts'
export type { BuildRequest } from './build/request.ts'
export type { BuiltImage } from './build/target.ts'
export { type BuildVolumes, parseBuildVolumes } from './build/volumes.ts'
export {
  type LifecycleFile,
  type LifecycleFiles,
  type LifecycleFilesOptions,
  lifecycleFiles,
} from './builder/lifecycle-files.ts'
export { DIFF_PARTS, type DiffPart, type ImageDiff, type LayerChange } from './diff/diff.ts'
export { type DiffRequest, diffPlaces } from './diff/places.ts'
export type { FileChange } from './diff/tree.ts'
export type { ValueChange } from './diff/values.ts'
export { type DoctorOptions, examine } from './doctor/doctor.ts'
export type { Finding } from './doctor/finding.ts'
export { examineRegistry, type RegistryDoctorOptions } from './doctor/registry.ts'
export { type Explained, type ExplainedLayer, type ExplainRequest, explainImage } from './explain/explain.ts'
export { forgetCaches } from './forget-caches.ts'
export { type FindOptions, type FindWhere, type FoundImages, findAnywhere } from './images/find-anywhere.ts'
export { findImage, shortDigest, sizeOf } from './images/find-image.ts'
export { type ImageWays, openImageWays } from './images/image-ways.ts'
export { type ImageSummary, listImages } from './images/list-images.ts'
export { type MachineRegistriesOptions, openMachineRegistries } from './images/registries.ts'
export { listRegistry, registryName, removeFromRegistries } from './images/registry-names.ts'
export { removeImages } from './images/remove-images.ts'
export { type Inspected, type InspectedBuild, type InspectedModule, inspectImage } from './inspect/inspect.ts'
export type { InspectedLayer, LayerKind } from './inspect/layers.ts'
export type { InspectedProcess } from './inspect/processes.ts'
export {
  type LauncherBinary,
  type LauncherOptions,
  launcherBinary,
  launcherPlaces,
} from './launcher/launcher.ts'
export { machineArchitecture } from './machine/machine-architecture.ts'
export { openMachineArchive } from './machine/machine-archive.ts'
export { openMachineSandbox, type SandboxDriver } from './machine/machine-sandbox.ts'
export { type BuilderRequest, createBuilder, type WrittenBuilder } from './packaging/builder-create.ts'
export { type InspectedBuilder, inspectBuilder } from './packaging/builder-inspect.ts'
export { KNOWN_BUILDERS } from './packaging/builder-known.ts'
export {
  openPackaging,
  type PackagingContext,
  type PackagingOptions,
  type PullPolicy,
} from './packaging/context.ts'
export { labelsFrom } from './packaging/labels.ts'
export { type PackageRequest, packageBuildpack, type WrittenPackage } from './packaging/package.ts'
export { type InspectedPackage, inspectPackage } from './packaging/package-inspect.ts'
export { pullBuildpack } from './packaging/pull.ts'
export { type ScaffoldRequest, scaffoldBuildpack } from './packaging/scaffold.ts'
export { type RebasedImage, type RebaseRequest, rebaseStored } from './rebase/rebase.ts'
export { forgetRoots } from './roots/forget-roots.ts'
export { type PublishedPort, parsePort } from './run/ports.ts'
export { type RunContext, type RunRequest, runImage } from './run/run.ts'
export { parseMemory, parseNetwork, parseVolume } from './run/settings.ts'
export { describeImage, downloadSbom, printBill, type SbomChoice, type SbomFormat } from './sbom/sbom.ts'
export { openStore } from './store.ts'
export { VERSION } from './version.ts'
