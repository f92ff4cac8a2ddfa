import { Problem } from '#std'

export const startFailed = (why: string, fix: string, cause?: unknown) =>
  new Problem('SANDBOX_START_FAILED', { what: 'Cannot start the sandbox', why, fix, cause })

export const commandMissing = (command: string, why: string) =>
  new Problem('SANDBOX_COMMAND_MISSING', {
    what: `Cannot run ${command}`,
    why: `the sandbox has no such program: ${why}`,
    fix: 'Check the name, and that the image has it (`slipway inspect` lists the processes of an image).',
  })

export const mountRefused = (inside: string, why: string) =>
  new Problem('SANDBOX_MOUNT_REFUSED', {
    what: `Cannot mount at ${inside} in the sandbox`,
    why,
    fix: 'Use a base image that has real, empty directories at the places where builds are mounted.',
  })

export const wordRefused = (what: string) =>
  new Problem('SANDBOX_WORD_REFUSED', {
    what: 'Cannot run this in the sandbox',
    why: `${what} holds a NUL character, which no program can be handed`,
    fix: 'Do not use that image or buildpack; its maker has to mend it.',
  })

export const noOverlays = (why: string) =>
  new Problem('SANDBOX_NO_OVERLAYS', {
    what: 'Cannot make a writable root',
    why,
    fix: 'Overlays need Linux 5.11 and bubblewrap 0.11; without a bubblewrap in PATH slipway fetches its own.',
  })

export const notInContainer = () =>
  new Problem('SANDBOX_PLAIN_REFUSED', {
    what: 'Cannot run without a sandbox',
    why: 'the plain driver isolates nothing by itself, and this does not look like the inside of a container',
    fix: 'Leave the driver to slipway; if this is a container after all, set container=oci in its environment.',
  })

export const plainCannot = (why: string) =>
  new Problem('SANDBOX_PLAIN_CANNOT', {
    what: 'Cannot run this with the plain driver',
    why,
    fix: 'Run where user namespaces work (`slipway doctor` tells), so that bubblewrap is used.',
  })
