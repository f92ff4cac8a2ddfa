import { Problem, printable } from '#std'

/** Exit code of wrong arguments or inputs (CNB platform specification). */
const INVALID_INPUT = 3

export const daemonAddressInvalid = (address: string, why: string) =>
  new Problem('DAEMON_ADDRESS_INVALID', {
    what: 'Cannot tell where the container daemon is',
    why: `DOCKER_HOST is ${JSON.stringify(address.slice(0, 200))}, ${why}`,
    fix: 'Set DOCKER_HOST to unix:///PATH or tcp://HOST:PORT, or unset it.',
    exitCode: INVALID_INPUT,
  })

export const daemonUnreachable = (places: readonly string[], cause?: unknown) =>
  new Problem('DAEMON_UNREACHABLE', {
    what: 'Cannot reach a container daemon',
    why:
      cause instanceof Error
        ? `${places.join(', ')}: ${cause.message}`
        : `nothing answers at ${places.join(', ')}`,
    fix: 'Start Docker or Podman (its socket: systemctl --user start podman.socket), see that this user may use the socket, or name another with DOCKER_HOST.',
    cause,
  })

export const daemonRefused = (doing: string, status: number, words: string) =>
  new Problem('DAEMON_REFUSED', {
    what: `Cannot ${doing}`,
    why: `the container daemon says: ${printable(words.trim().slice(0, 500)) || `status ${status}`}`,
    fix: 'See what the daemon has to say in its log; where its disk is full, remove images that nobody needs.',
  })

export const daemonImageDiffers = (name: string, wanted: string, found: string) =>
  new Problem('DAEMON_IMAGE_DIFFERS', {
    what: `Cannot tell that the container daemon has the image ${name}`,
    why: `what it calls so is ${found}, and ${wanted} was sent`,
    fix: 'Somebody else gave the name to another image at the same time; build again.',
  })

export const daemonLayerGone = (diffId: string) =>
  new Problem('DAEMON_LAYER_GONE', {
    what: 'Cannot get a layer from the container daemon',
    why: `the image that had ${diffId} is there no more, or has other layers now`,
    fix: 'Build again.',
  })
