import * as v from 'valibot'

/** How much a bill of materials from outside may hold before it is refused. */
export const BILL_LIMIT = { bytes: 64 * 2 ** 20, components: 200_000 } as const

/** Text of one field. */
export const short = v.pipe(v.string(), v.maxLength(2000))

/** A package URL. */
export const url = v.pipe(v.string(), v.maxLength(8000))
