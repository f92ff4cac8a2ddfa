import { DEFAULT_RELEASE } from '#os'
import { readDebianMirrors, readMavenRepositories, readNpmSettings, readPypiSettings } from '#sources'
import { Problem, redact } from '#std'
import { findCertificates } from '../machine/extra-certificates.ts'
import { machineArchitecture } from '../machine/machine-architecture.ts'
import type { DoctorOptions } from './doctor.ts'
import { type Finding, findingOf, good, weak } from './finding.ts'

/** Where this machine fetches packages from, and whom it trusts on the way. */
export async function* checkSources(options: DoctorOptions): AsyncGenerator<Finding> {
  yield await checkDebian(options)
  yield await checkNpm(options)
  yield await checkMaven(options)
  yield await checkPypi(options)
  yield checkGoProxy(options)
  yield await checkCertificates(options)
}

/** Asks for the signed index of the release that bases are made of. */
async function checkDebian({ environment, sources }: DoctorOptions): Promise<Finding> {
  const name = 'Debian packages'
  const { main, security } = await readDebianMirrors(environment)
  try {
    const archive = await sources.archive()
    const { release } = await archive.index(DEFAULT_RELEASE, machineArchitecture())
    const places = [...new Set([...main, ...security])].map(redact).join(', ')
    return good(name, `${places}, signed ${new Date(release.date * 1000).toISOString().slice(0, 10)}`)
  } catch (error) {
    return findingOf(name, error)
  }
}

async function checkNpm({ environment, userHome }: DoctorOptions): Promise<Finding> {
  return await configured('npm', async () => {
    const { registry } = await readNpmSettings({ environment, home: userHome, node: process.execPath })
    return registry
  })
}

async function checkMaven({ environment, userHome }: DoctorOptions): Promise<Finding> {
  return await configured('Maven', async () => {
    const repositories = await readMavenRepositories({ environment, home: userHome })
    return repositories.map(({ url }) => url).join(', ')
  })
}

async function checkPypi({ environment, userHome }: DoctorOptions): Promise<Finding> {
  return await configured('Python', async () => {
    const { indices } = await readPypiSettings({ environment, home: userHome })
    return indices.join(', ')
  })
}

async function configured(name: string, read: () => Promise<string | undefined>): Promise<Finding> {
  try {
    return good(
      `${name} packages`,
      redact((await read()) || 'nothing is configured; its own default is used'),
    )
  } catch (error) {
    return findingOf(`${name} packages`, error, 'weak')
  }
}

function checkGoProxy({ environment: { GOPROXY } }: DoctorOptions): Finding {
  return good('Go modules', redact(GOPROXY || 'nothing is configured; its own default is used'))
}

async function checkCertificates({ environment }: DoctorOptions): Promise<Finding> {
  const name = 'certificate authorities'
  try {
    const { certificates, warnings } = await findCertificates(environment)
    if (warnings.length > 0)
      return weak(
        name,
        warnings.join('; '),
        'Correct the variable, or unset it: servers that need it cannot be reached.',
      )
    return certificates.length > 0
      ? good(name, `${certificates.length} of this machine, which builds trust too`)
      : weak(
          name,
          'this machine has no bundle of them',
          "Install ca-certificates; Node.js's own are used meanwhile.",
        )
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return findingOf(name, error, 'weak')
  }
}
