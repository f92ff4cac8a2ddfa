export {
  type BaseJobOptions,
  buildBase,
  type ListedBase,
  type LockedBase,
  listBases,
  lockBases,
  type WantedBase,
} from './base-jobs.ts'
export {
  type BaseChoice,
  type BaseImage,
  type BaseRoot,
  type Bases,
  type BasesOptions,
  machineArchitecture,
  openBases,
} from './bases.ts'
