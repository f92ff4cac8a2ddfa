import { packageWrong } from './problems.ts'

/** Labels given as `NAME=VALUE`. Throws a `Problem` (`PACKAGE_INVALID`). */
export function labelsFrom(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map(text => {
      const equals = text.indexOf('=')
      if (equals < 1)
        throw packageWrong(
          `with --label ${text}`,
          'it has not the form NAME=VALUE',
          'Write --label maintainer=me, for example.',
        )
      return [text.slice(0, equals), text.slice(equals + 1)]
    }),
  )
}
