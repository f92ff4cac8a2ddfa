export {
  type Bill,
  COMPONENT_TYPES,
  type Component,
  type ComponentType,
  HASH_NAMES,
  type HashName,
  LAYER_PROPERTY,
} from './component.ts'
export { CYCLONEDX_MEDIA_TYPE, printCycloneDx } from './cyclonedx.ts'
export { componentsOfDpkg } from './dpkg-status.ts'
export { isLicenseExpression, isLicenseId } from './licenses.ts'
export { BILL_LIMIT } from './limits.ts'
export { mergeBills, type PartBill } from './merge.ts'
export { parseCycloneDx } from './parse-cyclonedx.ts'
export { parseSpdx } from './parse-spdx.ts'
export { type PurlParts, parsePurl, purl } from './purl.ts'
export { printSpdx, SPDX_MEDIA_TYPE } from './spdx.ts'
