import { join } from 'node:path'
import { type BuildContext, readIfExists, readManifest } from '#sdk'

/** A version to ask for, and who wants it. An empty one leaves the choice to the platform. */
export interface WantedVersion {
  readonly version: string
  readonly from: string
}

/**
 * Which Java the app wants: `BP_JVM_VERSION`, else `.sdkmanrc`, else what its manifest says it was built with, else what another
 * buildpack requires, else the default.
 */
export async function wantedVersion({
  application,
  configuration,
  required,
}: Pick<BuildContext, 'application' | 'configuration' | 'required'>): Promise<WantedVersion> {
  const given = configuration.given('BP_JVM_VERSION')?.trim()
  if (given) return { version: given, from: 'BP_JVM_VERSION' }
  const pinned = /^\s*java\s*=\s*(\d[\w.+]*)/m.exec(
    (await readIfExists(join(application, '.sdkmanrc'))) ?? '',
  )?.[1]
  if (pinned) return { version: lineOf(pinned), from: '.sdkmanrc' }
  const manifest = await readManifest(application)
  const built = manifest?.get('Build-Jdk-Spec') ?? manifest?.get('Build-Jdk')
  if (built && supported(lineOf(built))) return { version: supported(lineOf(built)), from: 'MANIFEST.MF' }
  const asked = required('jdk')?.version ?? required('jre')?.version
  if (typeof asked === 'string' && asked !== '') return { version: asked, from: 'the build plan' }
  return { version: '', from: 'the default' }
}

/** `1.8.0` is 8, `21.0.3` is 21. */
function lineOf(version: string): string {
  const [first = '', second = ''] = version.split('.')
  return first === '1' ? second : first
}

/** The lines that there are builds of; what was built with another line runs on the next newer one. */
const LINES = ['17', '21', '25']

function supported(line: string): string {
  return LINES.find(each => Number(each) >= Number(line)) ?? ''
}
