import { compareDebianVersions } from '#sources'

/** One name in a dependency, with the versions that will do. */
export interface Relation {
  readonly name: string
  readonly operator?: '<<' | '<=' | '=' | '>=' | '>>'
  readonly version?: string
}

const RELATION = /^([a-z0-9][a-z0-9.+-]*)(?::[a-z0-9]+)?(?:\s*\(\s*(<<|<=|=|>=|>>)\s*([^\s)]+)\s*\))?$/

/**
 * Parses a dependency field (deb-substvars-free form of Debian Policy 7.1): groups that must all hold, each of alternatives.
 * Architecture qualifiers (`:any`) are dropped: bases have one architecture.
 */
export function parseRelations(field: string | undefined): Relation[][] {
  return (field ?? '')
    .split(',')
    .map(group => group.split('|').flatMap(parseOne))
    .filter(group => group.length > 0)
}

function parseOne(text: string): Relation[] {
  const match = RELATION.exec(text.trim())
  if (!match) {
    if (text.trim() === '') return []
    throw new Error(`a dependency cannot be read: ${JSON.stringify(text.slice(0, 200))}`)
  }
  const [, name = '', operator, version] = match
  if (operator === undefined || version === undefined) return [{ name }]
  return [{ name, operator: operator as NonNullable<Relation['operator']>, version }]
}

/** True if a version is one of those that a relation asks for. */
export function admits({ operator, version }: Relation, candidate: string): boolean {
  if (operator === undefined || version === undefined) return true
  const order = compareDebianVersions(candidate, version)
  switch (operator) {
    case '<<':
      return order < 0
    case '<=':
      return order <= 0
    case '=':
      return order === 0
    case '>=':
      return order >= 0
    case '>>':
      return order > 0
  }
}
