import { purl } from '#bom'

/** The package URL of a Go module (type `golang`). */
export function goModulePurl(path: string, version: string): string {
  const slash = path.lastIndexOf('/')
  return purl({
    type: 'golang',
    ...(slash > 0 && { namespace: path.slice(0, slash) }),
    name: path.slice(slash + 1),
    ...(version !== '' && { version }),
  })
}
