import { type Detect, fail, findFiles, pass, wantsPackages } from '#sdk'
import { npmVersion, readProject } from './project.ts'

/** Lock files of other package managers. A project with one of them and none of npm's is theirs. */
const OTHERS = ['yarn.lock', 'pnpm-lock.yaml', 'bun.lock', 'bun.lockb']

/** Takes part where there is a package.json that wants packages installed or has scripts to run. */
export const detect: Detect = async context => {
  const project = await readProject(context)
  if (!project) return fail('no package.json')
  const { directory, lock, scripts } = project
  if (!lock)
    for (const other of OTHERS)
      if ((await findFiles(directory, other)).length > 0)
        return fail(`${other} is of another package manager; npm wants a package-lock.json`)
  if (!wantsPackages(project.package) && scripts.length === 0)
    return fail('nothing to install and no script to run')
  const compiles = [...(lock?.packages.values() ?? [])].some(({ hasInstallScript }) => hasInstallScript)
  return pass({
    provides: ['node_modules'],
    requires: [
      'node_modules',
      { name: 'node', metadata: { build: true, ...(compiles && { headers: true }) } },
      { name: 'npm', metadata: { build: true, version: npmVersion(project.package) } },
    ],
  })
}
