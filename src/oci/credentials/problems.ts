import { Problem } from '#std'

export const helperFailed = (name: string, why: string, cause?: unknown) =>
  new Problem('CREDENTIAL_HELPER', {
    what: `Cannot ask the credential helper ${JSON.stringify(name.slice(0, 100))}`,
    why,
    fix: 'Check that docker-credential-NAME is in PATH and works, or take it out of credsStore and credHelpers in the configuration of Docker.',
    cause,
  })

export const credentialsUnreadable = (source: string) =>
  new Problem('CREDENTIALS_UNREADABLE', {
    what: `Cannot read ${source}`,
    why: 'it is not the JSON that it has to be',
    fix: 'Correct it; none of it is shown here, because it may hold passwords (docs/registries.md).',
  })

/** Reads a document of secrets: what is wrong with it is not told in detail, because that would show some of it. */
export function readingSecrets<Result>(source: string, read: () => Result): Result {
  try {
    return read()
  } catch (error) {
    if (error instanceof Problem) throw credentialsUnreadable(source)
    throw error
  }
}
