import { Problem } from '#std'

/** Exit code of wrong arguments or inputs (CNB platform specification). */
const INVALID_INPUT = 3

export const sourceMissing = (path: string, cause?: unknown) =>
  new Problem('SOURCE_MISSING', {
    what: 'Cannot build',
    why: `there is nothing at ${path}`,
    fix: 'Give the directory of the app with --path DIR.',
    exitCode: INVALID_INPUT,
    cause,
  })

export const nameTaken = (name: string) =>
  new Problem('IMAGE_NAME_TAKEN', {
    what: `Cannot call an app ${name}`,
    why: 'it is the name of a base of slipway, by which builds and rebases find that',
    fix: 'Choose another name, such as shop or registry.example/shop:1.2.',
    exitCode: INVALID_INPUT,
  })

export const sourceNotDirectory = (path: string) =>
  new Problem('SOURCE_NOT_DIRECTORY', {
    what: 'Cannot build',
    why: `${path} is not a directory`,
    fix: 'Give the directory of the app with --path DIR; archives have to be unpacked first.',
    exitCode: INVALID_INPUT,
  })

export const unreadable = (path: string, cause: unknown) =>
  new Problem('SOURCE_UNREADABLE', {
    what: 'Cannot copy the source',
    why: `${path} may not be read by this user`,
    fix: `Make it readable (chmod u+r), or keep it out of the build: add it to "exclude" under [io.buildpacks] in project.toml.`,
    exitCode: INVALID_INPUT,
    cause,
  })

export const sourceChanged = (path: string, cause?: unknown) =>
  new Problem('SOURCE_CHANGED', {
    what: 'Cannot copy the source',
    why: `${path === '' ? 'its directory' : path} changed, or went away, while it was copied`,
    fix: `Build again once nothing writes there, or keep it out of the build: add it to "exclude" under [io.buildpacks] in project.toml.`,
    exitCode: INVALID_INPUT,
    cause,
  })

export const sourceTooDeep = (path: string) =>
  new Problem('SOURCE_TOO_DEEP', {
    what: 'Cannot copy the source',
    why: `${path.slice(0, 100)}… is too long a path for Linux, which allows 4095 bytes in all`,
    fix: 'Set SLIPWAY_HOME to a directory with a shorter path, or keep that one out of the build ("exclude" under [io.buildpacks] in project.toml).',
    exitCode: INVALID_INPUT,
  })

export const madeUnusable = (path: string, cause: Error) =>
  new Problem('BUILDPACK_LEFT_UNREADABLE', {
    what: 'Cannot use what the buildpacks made',
    why: `${path} cannot be read: ${cause.message}`,
    fix: 'The buildpack that made it has to leave it readable for its own user.',
    exitCode: 62,
    cause,
  })

export const inputUnreadable = (path: string, why: string, cause?: unknown) =>
  new Problem('INPUT_UNREADABLE', {
    what: `Cannot read ${path}`,
    why,
    fix: 'It has to be a plain file that this user may read; remove it if it is not meant for slipway.',
    exitCode: INVALID_INPUT,
    cause,
  })

export const notLinux = (platform: string) =>
  new Problem('NOT_LINUX', {
    what: 'Cannot build or run images on this machine',
    why: `slipway builds inside Linux namespaces, and this is ${platform}`,
    fix: 'Run slipway in a Linux virtual machine or container (WSL 2, Lima, a CI job). images, inspect, rebase, sbom and copy work here.',
  })

export const driverUnknown = (text: string) =>
  new Problem('SANDBOX_DRIVER_UNKNOWN', {
    what: 'Cannot choose the sandbox',
    why: `SLIPWAY_SANDBOX is ${JSON.stringify(text)}`,
    fix: 'Set it to bwrap, to plain (inside a container only), or leave it out.',
    exitCode: INVALID_INPUT,
  })

export const imageMissing = (name: string) =>
  new Problem('IMAGE_MISSING', {
    what: `Cannot find the image ${name}`,
    why: 'the store has no image of that name',
    fix: 'See what there is with `slipway images`, or build it with `slipway build`.',
    exitCode: INVALID_INPUT,
  })

export const imageNowhere = (name: string) =>
  new Problem('IMAGE_MISSING', {
    what: `Cannot find the image ${name}`,
    why: 'neither the store nor its registry has an image of that name',
    fix: 'Check the name; `slipway images` lists what the store has.',
    exitCode: INVALID_INPUT,
  })

export const noNames = () =>
  new Problem('NO_NAMES', {
    what: 'Cannot remove images',
    why: 'no names were given',
    fix: 'See what there is with `slipway images`; all that no image needs goes with `slipway gc`.',
    exitCode: INVALID_INPUT,
  })

export const billRefused = (path: string, why: string) =>
  new Problem('BILL_REFUSED', {
    what: 'Cannot read a bill of materials of the image',
    why: `${JSON.stringify(path.slice(0, 300))}: ${why}`,
    fix: 'Do not trust what this image says of itself; its maker has to mend it.',
  })

export const partUnknown = (part: string, image: string, parts: readonly string[]) =>
  new Problem('PART_UNKNOWN', {
    what: `Cannot describe ${JSON.stringify(part)} of ${image}`,
    why:
      parts.length === 0
        ? 'the image has no bills of materials'
        : `it has bills of: ${parts.slice(0, 50).join(', ')}`,
    fix: 'Name one of those, or leave --layer out to see all.',
    exitCode: INVALID_INPUT,
  })

export const layerRefused = (path: string, why: string) =>
  new Problem('LAYER_REFUSED', {
    what: 'Cannot unpack a layer',
    why: `${JSON.stringify(path.slice(0, 200))}: ${why}`,
    fix: 'Do not run this image; its maker has to mend it.',
  })

export const userUnknown = (user: string, why: string) =>
  new Problem('RUN_USER_UNKNOWN', {
    what: `Cannot run as the user ${JSON.stringify(user)}`,
    why,
    fix: 'The image has to name a user that its /etc/passwd has, or plain numbers such as 1001:1001.',
  })

export const processUnknown = (name: string, known: readonly string[]) =>
  new Problem('RUN_PROCESS_UNKNOWN', {
    what: `Cannot run the process ${JSON.stringify(name)}`,
    why: known.length > 0 ? `the image has ${known.join(', ')}` : 'the image names no processes',
    fix: 'See the processes with `slipway inspect`.',
    exitCode: INVALID_INPUT,
  })

export const processNeedsLauncher = (name: string) =>
  new Problem('RUN_PROCESS_NEEDS_LAUNCHER', {
    what: `Cannot run the process ${JSON.stringify(name)}`,
    why: 'it is a script for a shell, which the launcher prepares, and the image holds no launcher',
    fix: 'Build the image again with --launcher always.',
  })

export const programMissing = (program: string) =>
  new Problem('RUN_PROGRAM_MISSING', {
    what: `Cannot run ${program}`,
    why: 'the image has no such program',
    fix: 'Check the name; `slipway inspect` lists the processes of an image.',
    exitCode: 127,
  })

export const programNotExecutable = (program: string, why: string) =>
  new Problem('RUN_PROGRAM_NOT_EXECUTABLE', {
    what: `Cannot run ${program}`,
    why,
    fix: 'Check the name and the mode of the file; a script needs the interpreter of its first line in the image.',
    exitCode: 126,
  })

export const otherPlatform = (image: string, platform: string, machine: string) =>
  new Problem('RUN_OTHER_PLATFORM', {
    what: `Cannot run ${image}`,
    why: `it is made for ${platform}, and this machine is ${machine}`,
    fix: `Build it for ${machine}, or run it on a machine of its own kind.`,
    exitCode: INVALID_INPUT,
  })

export const memoryInvalid = (text: string) =>
  new Problem('RUN_MEMORY_INVALID', {
    what: 'Cannot limit the memory',
    why: `${JSON.stringify(text)} is not a size of at least 6 MiB`,
    fix: 'Write, for example, --memory 512m or --memory 2g.',
    exitCode: INVALID_INPUT,
  })

export const volumeInvalid = (text: string, why: string) =>
  new Problem('RUN_VOLUME_INVALID', {
    what: `Cannot mount ${JSON.stringify(text)}`,
    why,
    fix: 'Write --volume DIRECTORY:/PLACE, or --volume DIRECTORY:/PLACE:ro to keep the app from writing to it.',
    exitCode: INVALID_INPUT,
  })

export const portWithoutNetwork = () =>
  new Problem('RUN_PORT_WITHOUT_NETWORK', {
    what: 'Cannot publish a port',
    why: 'with --network none the app has a network of its own, which nothing leads to',
    fix: 'Leave out --network, or leave out --publish.',
    exitCode: INVALID_INPUT,
  })

export const networkUnknown = (text: string) =>
  new Problem('RUN_NETWORK_UNKNOWN', {
    what: 'Cannot choose the network',
    why: `${JSON.stringify(text)} is neither host nor none`,
    fix: "Write --network host (the default: the app shares this machine's network) or --network none.",
    exitCode: INVALID_INPUT,
  })

export const commandUnknown = () =>
  new Problem('RUN_COMMAND_UNKNOWN', {
    what: 'Cannot run the image',
    why: 'it names neither an entrypoint nor a command',
    fix: 'Say what to run: slipway run IMAGE -- COMMAND.',
    exitCode: INVALID_INPUT,
  })

export const portInvalid = (text: string) =>
  new Problem('RUN_PORT_INVALID', {
    what: 'Cannot publish a port',
    why: `${JSON.stringify(text)} is not HOST:CONTAINER with numbers from 1 to 65535`,
    fix: 'Write, for example, -p 8080:8080 or -p 127.0.0.1:9090:8080.',
    exitCode: INVALID_INPUT,
  })

export const portTaken = (address: string, port: number, cause: unknown) =>
  new Problem('RUN_PORT_TAKEN', {
    what: `Cannot publish ${address}:${port}`,
    why: cause instanceof Error ? cause.message : String(cause),
    fix: 'Stop what listens there, or choose another port on the left side of -p.',
    cause,
  })

export const appLockMissing = (path: string) =>
  new Problem('LOCK_MISSING', {
    what: 'Cannot build with --locked',
    why: `${path} does not exist`,
    fix: 'Build once without --locked, and commit the slipway.lock that it writes.',
    exitCode: INVALID_INPUT,
  })

export const appLockChanged = (path: string) =>
  new Problem('LOCK_CHANGED', {
    what: 'Cannot build with --locked',
    why: `the build asked for something that ${path} does not pin`,
    fix: 'Build once without --locked, read what changed in slipway.lock, and commit it.',
    exitCode: INVALID_INPUT,
  })

export const buildpackDirectoryInvalid = (path: string, cause: unknown) =>
  new Problem('BUILDPACK_DIRECTORY_INVALID', {
    what: 'Cannot use a buildpack',
    why: `${path} has no buildpack.toml that can be read`,
    fix: 'Give the directory that holds buildpack.toml and bin/, or the id of a buildpack that slipway has.',
    exitCode: INVALID_INPUT,
    cause,
  })

export const buildpackUnknown = (name: string, known: readonly string[]) =>
  new Problem('BUILDPACK_UNKNOWN', {
    what: `Cannot find the buildpack ${name}`,
    why: 'it is neither a directory or file, nor a buildpack of the builder, nor an image of the store',
    fix: `Use one of ${known.slice(0, 40).join(', ')}, a directory such as ./my-buildpack, docker://REFERENCE for one in a registry, or urn:cnb:registry:ID for one of the buildpack registry.`,
    exitCode: INVALID_INPUT,
  })

export const packageInvalid = (name: string, why: string) =>
  new Problem('BUILDPACK_PACKAGE_INVALID', {
    what: `Cannot use ${name} as a buildpack`,
    why,
    fix: 'It has to be a buildpackage, as `slipway buildpack package` and `pack buildpack package` make it.',
    exitCode: INVALID_INPUT,
  })

export const archiveInvalid = (name: string, why: string, cause?: unknown) =>
  new Problem('BUILDPACK_ARCHIVE_INVALID', {
    what: `Cannot use ${name} as a buildpack`,
    why,
    fix: 'It has to be a tar, packed with gzip or not, with buildpack.toml at its top, or a .cnb file.',
    exitCode: INVALID_INPUT,
    cause,
  })

export const downloadFailed = (url: string, why: string) =>
  new Problem('BUILDPACK_DOWNLOAD_FAILED', {
    what: `Cannot download the buildpack ${url}`,
    why,
    fix: 'Check the address, or download the file yourself and give its path.',
    exitCode: INVALID_INPUT,
  })

export const packageTooDeep = (path: string) =>
  new Problem('BUILDPACK_PACKAGE_TOO_DEEP', {
    what: `Cannot use the buildpack ${path}`,
    why: 'dependencies of its package.toml lead on to others without end',
    fix: 'Correct the [[dependencies]] of package.toml.',
    exitCode: INVALID_INPUT,
  })

export const builderInvalid = (name: string, why: string, cause?: unknown) =>
  new Problem('BUILDER_INVALID', {
    what: `Cannot build with the builder ${name}`,
    why,
    fix: 'Name an image that `slipway builder create` or `pack builder create` made; leave --builder out to build with that of slipway.',
    exitCode: INVALID_INPUT,
    cause,
  })

export const builderUnlocked = (name: string) =>
  new Problem('BUILDER_NOT_LOCKED', {
    what: 'Cannot build with --locked',
    why: `${name} may be another builder tomorrow, and slipway.lock does not pin builders`,
    fix: 'Name the builder by its digest: --builder NAME@sha256:….',
    exitCode: INVALID_INPUT,
  })

export const switchedTargetMismatch = (name: string, image: string, extension: string, target: string) =>
  new Problem('RUN_IMAGE_TARGET', {
    what: `Cannot put what ${name} builds on ${image}`,
    why: `the image extension ${extension} switched to it, it is ${target}, and the buildpack is not for that`,
    fix: 'Leave extensions out with --skip-extensions, or use buildpacks for that base.',
    exitCode: 92,
  })

export const lockUnwritable = (path: string, name: string, cause: unknown) =>
  new Problem('BASE_LOCK_UNWRITABLE', {
    what: 'Cannot write the lock of a base',
    why: `${path} may not be written by this user`,
    fix: `Say where to: --output ${name}.`,
    exitCode: INVALID_INPUT,
    cause,
  })

export const descriptorMissing = (path: string) =>
  new Problem('DESCRIPTOR_MISSING', {
    what: 'Cannot read the project descriptor',
    why: `${path} does not exist`,
    fix: 'Check the path that is given with --descriptor.',
    exitCode: INVALID_INPUT,
  })

export const runImageElsewhere = (name: string, found: string, wanted: string) =>
  new Problem('RUN_IMAGE_PLATFORM', {
    what: `Cannot put an app on ${name}`,
    why: `it is for ${found}, and builds on this machine are for ${wanted}`,
    fix: `Use a run image for ${wanted}, or build on a machine of the other kind.`,
    exitCode: INVALID_INPUT,
  })

export const runImageMissing = (names: readonly string[]) =>
  new Problem('RUN_IMAGE_MISSING', {
    what: 'Cannot find the new base',
    why:
      names.length === 0
        ? 'the image names no run image'
        : `the store has no image named ${names.map(name => JSON.stringify(name)).join(' or ')}`,
    fix: 'Name a base with --run-image: one of `slipway base list`, or an image of the store (`slipway images`).',
    exitCode: 72,
  })

export const registriesDiffer = (first: string, other: string) =>
  new Problem('REGISTRIES_DIFFER', {
    what: 'Cannot publish the image',
    why: `its names are in different registries, ${first} and ${other}`,
    fix: 'Publish to one, and copy the image to the other: slipway copy docker://… docker://…',
    exitCode: INVALID_INPUT,
  })

export const imageUnnamed = (place: string) =>
  new Problem('IMAGE_UNNAMED', {
    what: `Cannot read ${place} where it is`,
    why: 'an image in an archive has no manifest, and so no digest',
    fix: `Copy it into the store first: slipway copy ${place} NAME`,
    exitCode: INVALID_INPUT,
  })

export const imageNotOnHub = (name: string, cause: Problem) =>
  new Problem('IMAGE_MISSING', {
    what: `Cannot find the image ${name}`,
    why: `the store has no image of that name, and Docker Hub gives none (${cause.what}: ${cause.why})`,
    fix: 'See what there is with `slipway images`, or build it with `slipway build`.',
    exitCode: INVALID_INPUT,
    cause,
  })
