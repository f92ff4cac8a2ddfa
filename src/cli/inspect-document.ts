import type { Inspected, InspectedBuild } from '#platform'

/** One document: what `pack inspect --output json` prints of an image here and in its registry, and beside it what only slipway says. */
export function inspectDocument(
  name: string,
  { local, remote }: { readonly local: Inspected | undefined; readonly remote: Inspected | undefined },
): unknown {
  return {
    image_name: name,
    remote_info: remote ? infoOf(remote) : null,
    local_info: local ? infoOf(local) : null,
  }
}

function infoOf({ digest, size, created, target, user, baseId, build, layers }: Inspected): unknown {
  return {
    ...(build && buildDocument(build)),
    digest,
    size,
    created: created ?? null,
    target,
    user: user ?? null,
    ...(baseId && { base_id: baseId }),
    built_by_buildpacks: build !== undefined,
    layers: layers.map(({ diffId, createdBy, ...layer }) => ({
      ...layer,
      diff_id: diffId,
      ...(createdBy && { created_by: createdBy }),
    })),
  }
}

function buildDocument(build: InspectedBuild) {
  const { stack, base, runImages, rebasable, buildpacks, extensions, processes, execEnv } = build
  return {
    stack,
    base_image: { top_layer: base.topLayer, reference: base.reference },
    run_images: runImages.map(name => ({ name })),
    rebasable,
    buildpacks,
    extensions: extensions.length > 0 ? extensions : null,
    processes: processes.map(process => ({
      type: process.type,
      shell: process.direct ? '' : 'bash',
      command: process.command[0] ?? '',
      args: [...process.command.slice(1), ...process.args],
      default: process.default,
      'working-dir': process.workingDirectory,
      ...(process.execEnv.length > 0 && { 'exec-env': process.execEnv }),
    })),
    ...(execEnv && { exec_env: execEnv }),
  }
}
