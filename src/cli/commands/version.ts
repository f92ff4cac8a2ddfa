import { VERSION } from '#std'
import { command } from '../command.ts'

export const version = command({
  summary: 'Print the version',
  arguments: {},
  options: {},
  examples: ['version'],
  async run(_input, { print }) {
    print(VERSION)
    return 0
  },
})
