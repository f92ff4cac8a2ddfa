import { writeFile } from 'node:fs/promises'
import { printToml } from '#std'
import type { Build, Detect } from './context.ts'
import { planTable } from './detection.ts'
import { openBuild } from './open-build.ts'
import { type Call, introduce, openContext } from './open-context.ts'

/** Exit code of a buildpack that does not take part (buildpack specification, "Detection"). */
export const NOT_DETECTED = 100

/** Detects, writes the plan, and returns the exit code of bin/detect. */
export async function detectPhase(
  detect: Detect,
  call: Call,
  planFile: string,
): Promise<0 | typeof NOT_DETECTED> {
  const context = await openContext(call)
  const detection = await detect(context)
  if (!detection.passed) {
    context.log.line(`SKIPPED: ${detection.reason}`)
    return NOT_DETECTED
  }
  await writeFile(planFile, printToml(planTable(detection.sections)))
  return 0
}

/** Builds, and writes what the buildpack said: launch.toml, build.toml, store.toml and bills of materials. */
export async function buildPhase(
  build: Build,
  call: Call,
  layersDirectory: string,
  planFile: string,
): Promise<void> {
  const { context, finish } = await openBuild(
    await openContext(call, introduce),
    call,
    layersDirectory,
    planFile,
  )
  await build(context)
  await finish()
}

/** Opens a build and says who would build, all for nothing. Whatever is not as it should be is told when it counts. */
export async function rehearse(call: Call, layersDirectory: string, planFile: string): Promise<void> {
  try {
    const context = await openContext(call, introduce)
    context.log.line('')
    await openBuild(context, call, layersDirectory, planFile)
  } catch {}
}
