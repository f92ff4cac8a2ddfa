export { VERSION } from '#std'
