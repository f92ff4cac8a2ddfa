export { CNB } from './accounts.ts'
export { type Assembled, type AssemblyContext, assembleBase, baseKey } from './assemble.ts'
export { type BaseSettings, KEY_LABEL, settingsOf } from './image.ts'
export {
  type Architecture,
  type BaseLock,
  baseLockSchema,
  type LockedPackage,
  type LockedSuite,
  lockDigest,
  parseLocks,
  printLocks,
} from './lock.ts'
export { lockBase, type Target } from './lock-base.ts'
export { parseRecipe, type Recipe, type RecipeRelease, readRecipe } from './recipe.ts'
export { type Resolved, resolvePackages, type Wanted } from './resolve.ts'
export { actsOf } from './scripts.ts'
export type { BaseTree, Content, Node } from './tree.ts'
