import { Problem } from '#std'

/** The value of an option that has to be one of a few words. Throws a `Problem` (`OPTION_INVALID`). */
export function oneOf<const Word extends string>(
  option: string,
  value: string,
  words: readonly Word[],
): Word {
  const found = words.find(word => word === value)
  if (found !== undefined) return found
  throw new Problem('OPTION_INVALID', {
    what: `Cannot use --${option} ${JSON.stringify(value)}`,
    why: `it has to be one of ${words.join(', ')}`,
    fix: `Write --${option} ${words[0]}, for example.`,
    exitCode: 2,
  })
}
