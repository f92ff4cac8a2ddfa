/** A tide takes 12 hours and 25 minutes: half the time that the moon needs to come round. */
const MINUTES = 12 * 60 + 25

/** When the water is high on a day, in minutes since midnight; the first time is given. */
export function highWaters(first: number): number[] {
  const times = []
  for (let time = first % MINUTES; time < 24 * 60; time += MINUTES) times.push(time)
  return times
}

/** `07:05` */
export function clock(minutes: number): string {
  return [Math.floor(minutes / 60), minutes % 60].map(part => String(part).padStart(2, '0')).join(':')
}
