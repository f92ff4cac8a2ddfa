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
export { isLicenseExpression, isLicenseId } from './licenses.ts'
export { type PurlParts, parsePurl, purl } from './purl.ts'
export { printSpdx, SPDX_MEDIA_TYPE } from './spdx.ts'
