import { forgetCaches, forgetRoots, openStore } from '#platform'
import { command } from '../command.ts'
import { bytesText } from '../terminal.ts'

export const gc = command({
  summary: 'Delete what no image needs any more',
  arguments: {},
  options: {},
  examples: ['gc'],
  async run(_input, { home, report, print }) {
    const store = openStore(home)
    const { blobs, bytes, running } = await store.gc()
    const roots = await forgetRoots(home, store)
    if (roots > 0)
      report.line(`removed ${roots} unpacked ${roots === 1 ? 'layer' : 'layers'} that no image needs`)
    const caches = await forgetCaches(home, store, Date.now())
    if (caches > 0)
      report.line(`removed ${caches} build ${caches === 1 ? 'cache' : 'caches'} of images that are gone`)
    if (running > 0) {
      const who = running === 1 ? 'another job of slipway is' : `${running} other jobs of slipway are`
      report.warn(`nothing was deleted, because ${who} using the store; try again when they have ended`)
    }
    print(`deleted ${blobs} ${blobs === 1 ? 'blob' : 'blobs'}, ${bytesText(bytes)}`)
    return 0
  },
})
