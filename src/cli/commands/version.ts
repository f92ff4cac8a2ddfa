import { command } from '../command.ts'
import { VERSION } from '../version.ts'

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
