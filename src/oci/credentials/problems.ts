import { Problem } from '#std'

export const helperFailed = (name: string, why: string, cause?: unknown) =>
  new Problem('CREDENTIAL_HELPER', {
    what: `Cannot ask the credential helper ${JSON.stringify(name.slice(0, 100))}`,
    why,
    fix: 'Check that docker-credential-NAME is in PATH and works, or take it out of credsStore and credHelpers in the configuration of Docker.',
    cause,
  })
