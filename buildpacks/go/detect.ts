import { join } from 'node:path'
import { type Detect, fail, isFile, pass } from '#sdk'

/** Takes part where there is a module or a workspace of modules; the name in the plan is Paketo's. */
export const detect: Detect = async ({ application }) => {
  const found = await Promise.all(['go.mod', 'go.work'].map(name => isFile(join(application, name))))
  if (!found.includes(true)) return fail('no go.mod')
  return pass({ provides: ['go'], requires: [{ name: 'go', metadata: { build: true } }] })
}
