export { CNB } from './accounts.ts'
export { type Assembled, type AssemblyContext, assembleBase, baseKey } from './assemble.ts'
export {
  type Catalog,
  DEFAULT_RELEASE,
  lockFor,
  type NamedBase,
  openCatalog,
  ownBase,
  readLockFile,
} from './catalog.ts'
export { billOf, componentsOf, WHY_PROPERTY } from './components.ts'
export { changesBetween, type Ensured, ensureBase, type Known } from './ensure.ts'
export { type BaseSettings, KEY_LABEL, settingsOf } from './image.ts'
export {
  type Architecture,
  type BaseLock,
  baseLockSchema,
  type LockedPackage,
  type LockedSuite,
  lockDigest,
  misfitOf,
  parseLocks,
  printLocks,
} from './lock.ts'
export { lockBase, type Target } from './lock-base.ts'
export { openBase } from './open-base.ts'
export { lockStale } from './problems.ts'
export { parseRecipe, type Recipe, type RecipeRelease, readRecipe } from './recipe.ts'
export { type Resolved, resolvePackages, type Wanted } from './resolve.ts'
export { SBOM_LABEL } from './sbom.ts'
export { actsOf } from './script-acts.ts'
export { storeBase } from './store-base.ts'
export { fetchTool, type Tool } from './tool.ts'
export type { BaseTree, Content, Node } from './tree.ts'
export { unpackDebs } from './unpack-debs.ts'
