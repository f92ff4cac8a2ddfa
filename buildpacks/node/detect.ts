import { type Detect, pass } from '#sdk'

/** Offers Node.js, and npm for builds, in the words of Paketo's plans; what nobody requires is left out. */
export const detect: Detect = () => pass({ provides: ['node', 'npm'] }, { provides: ['node'] })
