import { join } from 'node:path'
import { type Detect, fail, pass, readNodePackage, wantsPackages } from '#sdk'
import { firstFile, MAINS } from './main-file.ts'

/** Takes part where there is a package.json, or a file by one of the usual names. What package.json asks for has to be installed by somebody. */
export const detect: Detect = async ({ application, configuration }) => {
  const place = configuration.text('BP_NODE_PROJECT_PATH')
  const project = join(application, place)
  const found = await readNodePackage(project)
  const launchpoint = configuration.text('BP_LAUNCHPOINT').trim()
  const mains = launchpoint ? [launchpoint] : MAINS
  if (!found && (await firstFile(project, mains)) === undefined)
    return fail(`no package.json and no ${mains.join(', ')}${place ? ` in ${place}` : ''}`)
  const modules = found && wantsPackages(found) ? ['node_modules'] : []
  return pass({ requires: [{ name: 'node', metadata: { launch: true } }, ...modules] })
}
