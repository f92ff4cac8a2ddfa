import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { type ProjectBuildpack, parseBuildpack, parseBuildpackId } from '#cnb'
import { printToml } from '#std'
import { buildpackList } from './directory.ts'
import type { OpenedBuildpacks } from './packaged-buildpacks.ts'

/** A script in a project descriptor as a buildpack (project descriptor specification, `[io.buildpacks.group.script]`), written into a new directory. */
export async function inlineBuildpack(
  { id, version, script }: ProjectBuildpack,
  host: string,
): Promise<OpenedBuildpacks> {
  const toml = printToml({
    api: script?.api ?? '0.10',
    buildpack: { id: parseBuildpackId(id ?? '', 'project.toml'), version: version ?? '0.0.0' },
    targets: [{ os: 'linux' }],
  })
  await mkdir(join(host, 'bin'), { recursive: true })
  await writeFile(join(host, 'buildpack.toml'), toml)
  await writeFile(join(host, 'bin/detect'), '#!/bin/sh\nexit 0\n')
  await writeFile(join(host, 'bin/build'), `#!${script?.shell ?? '/bin/sh'}\n${script?.inline ?? ''}\n`)
  for (const name of ['detect', 'build']) await chmod(join(host, 'bin', name), 0o755)
  const descriptor = parseBuildpack(toml, `the script of ${id}`)
  const inside = `/cnb/buildpacks/inline/${descriptor.version}/${basename(host)}`
  return {
    main: { id: descriptor.id, version: descriptor.version },
    source: buildpackList([{ descriptor, root: { host, inside } }]),
  }
}
