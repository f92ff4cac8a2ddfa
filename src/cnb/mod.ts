export {
  type Analyzed,
  type AnalyzedRunImage,
  parseAnalyzed,
  printAnalyzed,
  type RunTarget,
} from './analyzed.ts'
export {
  atLeast,
  BUILDPACK_APIS,
  type BuildpackApi,
  compareApis,
  PLATFORM_APIS,
  type PlatformApi,
  parseBuildpackApi,
  parsePlatformApi,
} from './api-version.ts'
export type { BomEntry } from './bom-entry.ts'
export { type BuildDocument, parseBuild } from './build.ts'
export { type BuildLabel, type LabelledProcess, parseBuildLabel } from './build-label.ts'
export { type BuildPlan, type BuildPlanOption, parseBuildPlan, type Require } from './build-plan.ts'
export {
  type BuilderConfig,
  type ModulePlace,
  parseBuilderConfig,
} from './builder-config.ts'
export { type BuildVariable, buildVariableFiles } from './builder-environment.ts'
export {
  BUILDER_LABEL,
  type BuilderMetadata,
  MIXINS_LABEL,
  parseBuilderMetadata,
  printBuilderMetadata,
  runImagesOf,
} from './builder-metadata.ts'
export { parseTarget } from './builder-target.ts'
export {
  type BuildpackDescriptor,
  effectiveTargets,
  fullName,
  parseBuildpack,
  type Stack,
  takesPart,
  wantedFiles,
} from './buildpack.ts'
export {
  BUILDPACKAGE_LABEL,
  type Buildpackage,
  parseBuildpackage,
  printBuildpackage,
} from './buildpackage.ts'
export {
  BUILDPACK_LAYERS_LABEL,
  EXTENSION_LAYERS_LABEL,
  type ModuleLayer,
  moduleLayer,
  parseModuleLayers,
  printModuleLayers,
} from './buildpackage-layers.ts'
export {
  type BuildpackLocator,
  idAndVersion,
  mayBeRegistryId,
  parseBuildpackLocator,
} from './buildpackage-locator.ts'
export type { ModuleInfo } from './buildpackage-module.ts'
export {
  EXTENSION_ORDER_LABEL,
  ORDER_LABEL,
  parseOrderLabel,
  printOrderLabel,
} from './buildpackage-order.ts'
export {
  chooseRegistryEntry,
  parseRegistryIndex,
  type RegistryEntry,
  registryIndexPath,
} from './buildpackage-registry.ts'
export {
  applyEnvironmentFiles,
  applyUserVariables,
  type Environment,
  type EnvironmentFile,
  environmentRecord,
  INHERITED,
  inheritedEnvironment,
  prependRootDirectories,
  ROOT_DIRECTORIES,
} from './environment.ts'
export { goMap, printGoJson } from './go-json.ts'
export { type Group, type GroupMember, parseGroup, printGroup } from './group.ts'
export {
  type BuildpackId,
  escapeId,
  type LayerName,
  type ProcessType,
  parseBuildpackId,
  parseLayerName,
  parseProcessType,
  parseVersion,
} from './ids.ts'
export {
  BASE_ID_LABEL,
  BUILD_LABEL,
  DISTRO_NAME_LABEL,
  DISTRO_VERSION_LABEL,
  EXEC_ENV_LABEL,
  type LauncherInfo,
  LIFECYCLE_LABEL,
  PROJECT_LABEL,
  printBuildLabel,
  REBASABLE_LABEL,
  STACK_ID_LABEL,
} from './labels.ts'
export { type Label, type Launch, type Process, parseLaunch, type Slice } from './launch.ts'
export { type LayerDocument, type LayerTypes, parseLayer, printLayer, printRestoredLayer } from './layer.ts'
export {
  type ApiSet,
  type LifecycleDescriptor,
  parseLifecycleDescriptor,
  printLifecycleDescriptor,
} from './lifecycle-descriptor.ts'
export {
  type BuildpackLayers,
  buildpackLayersFrom,
  buildpackLayersSchema,
  buildpackLayersTable,
  type LayerRecord,
  type LifecycleMetadata,
  layersOf,
  NO_METADATA,
  parseLifecycleMetadata,
  printLifecycleMetadata,
  type RunImageNames,
} from './lifecycle-metadata.ts'
export { type BuildMetadata, type LaunchProcess, parseMetadata, printMetadata } from './metadata.ts'
export {
  type Order,
  type OrderDocument,
  type OrderEntry,
  type OrderGroup,
  parseOrder,
  printOrder,
} from './order.ts'
export { type PackageConfig, parsePackageConfig } from './package-config.ts'
export {
  type Plan,
  type PlanEntry,
  type Provider,
  parseBuildpackPlan,
  parsePlan,
  printBuildpackPlan,
  printPlan,
  requiresFor,
  withoutMet,
} from './plan.ts'
export {
  NO_PROJECT,
  type Project,
  type ProjectBuildpack,
  type ProjectVariable,
  parseProject,
} from './project.ts'
export {
  type ProjectMetadata,
  parseProjectMetadata,
  printProjectLabel,
  printProjectMetadata,
} from './project-metadata.ts'
export { replaceRunImage } from './rebased-metadata.ts'
export { type ImageReport, parseReport, printReport } from './report.ts'
export { type Candidate, type Resolution, resolvePlan } from './resolve-plan.ts'
export { findRunImage, parseRun, printRun, type RunImage, sameImage } from './run.ts'
export {
  SBOM_FORMATS,
  type SbomExtension,
  type SbomFile,
  sbomFileOf,
  type UnknownSbomFile,
} from './sbom-files.ts'
export { parseStack, printStack } from './stack.ts'
export { parseStore, printStore, type Store } from './store.ts'
export { parseSystem, printSystem, type SystemBuildpacks, withSystem } from './system.ts'
export {
  anyTargetMatches,
  type BaseTarget,
  type Distro,
  describeTarget,
  type Target,
  targetMatches,
} from './target.ts'
