import { join } from 'node:path'
import { type LayoutStore, openLayout } from '#oci'

/** The store of images of a state directory: `<home>/images`, an OCI image layout. */
export function openStore(home: string): LayoutStore {
  return openLayout(join(home, 'images'))
}
