import { type Detect, fail, pass } from '#sdk'
import { readProcfile } from './procfile.ts'

/** Takes part where something names a process; what it found travels in the plan, as in Paketo's buildpack. */
export const detect: Detect = async context => {
  const procfile = await readProcfile(context)
  if (Object.keys(procfile).length === 0) return fail('no Procfile')
  return pass({ provides: ['procfile'], requires: [{ name: 'procfile', metadata: procfile }] })
}
