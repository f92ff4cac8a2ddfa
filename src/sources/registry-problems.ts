import { Problem, redact } from '#std'

export const noRegistry = (kind: string, fix: string) =>
  new Problem('SOURCE_NO_REGISTRY', {
    what: `Cannot fetch from ${kind}`,
    why: 'nothing on this machine says where it is',
    fix,
  })

export const notOffered = (what: string, where: string) =>
  new Problem('SOURCE_NOT_FOUND', {
    what: `Cannot fetch ${what}`,
    why: `${where} does not have it`,
    fix: 'Check the name and the version; behind a company mirror, ask for it to be added there.',
  })

export const registryRefused = (what: string, status: number, kind: string) =>
  new Problem('SOURCE_REFUSED', {
    what: `Cannot fetch ${what}`,
    why: `${kind} answered with status ${status}`,
    fix:
      status === 401 || status === 403
        ? `Check the credentials in the configuration of ${kind} on this machine.`
        : 'Try again later, or configure another mirror.',
  })

export const interrupted = (what: string, kind: string, cause: unknown) =>
  new Problem('SOURCE_INTERRUPTED', {
    what: `Cannot fetch ${what}`,
    why: `the connection to ${kind} broke off (${redact(cause instanceof Error ? cause.message : String(cause))})`,
    fix: 'Try again; if it stays so, check the network and the proxy, or configure another mirror.',
    cause,
  })

export const registryConfused = (what: string, kind: string, why: string) =>
  new Problem('SOURCE_ANSWER_INVALID', {
    what: `Cannot use what ${kind} says about ${what}`,
    why,
    fix: 'Check that the configured address is that of a registry, and not of a login page or a proxy.',
  })

export const contentDiffers = (what: string, algorithm: string, wanted: string, got: string) =>
  new Problem('SOURCE_CONTENT_DIFFERS', {
    what: `Cannot use ${redact(what)}`,
    why: `its ${algorithm} is ${got}, and ${wanted} was promised`,
    fix: 'Do not trust that file. Try again; if it stays so, the mirror serves something else than was published.',
  })

export const mavenPasswordLocked = (server: string) =>
  new Problem('SOURCE_MAVEN_PASSWORD_LOCKED', {
    what: `Cannot use the credentials of the Maven server ${JSON.stringify(server)}`,
    why: 'its password in settings.xml is encrypted, and only Maven can read it',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: this is what a person writes into settings.xml
    fix: 'Write the password as ${env.NAME} and set that variable.',
  })
