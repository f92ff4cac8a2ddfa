import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { describe, it } from 'node:test'
import { signalsTo } from './signals.ts'

describe('signals on their way to a program', () => {
  const start = (terminal: boolean) => {
    const source = new EventEmitter()
    const sent: string[] = []
    const signals = signalsTo(source as never, terminal)
    const running = { kill: async (name: string, whom?: string) => void sent.push(`${name} ${whom}`) }
    return { source, sent, signals, running, send: (name: string) => source.emit(name, name) }
  }

  it('begin with its start and end with its end', () => {
    const { source, sent, signals, running, send } = start(false)
    send('SIGTERM')
    signals.started(running)
    send('SIGTERM')
    send('SIGUSR2')
    signals[Symbol.dispose]()
    send('SIGTERM')
    assert.deepEqual(sent, ['SIGTERM program', 'SIGUSR2 program'])
    assert.deepEqual(source.eventNames(), [])
  })

  it('reach all of its processes where a terminal would', () => {
    const { sent, signals, running, send } = start(true)
    signals.started(running)
    for (const name of ['SIGINT', 'SIGWINCH', 'SIGTERM']) send(name)
    assert.deepEqual(sent, ['SIGINT group', 'SIGWINCH group', 'SIGTERM program'])
  })

  it('become an order when a person insists', () => {
    const { signals, running, send } = start(true)
    signals.started(running)
    send('SIGINT')
    send('SIGINT')
    assert.equal(signals.kill.aborted, false)
    send('SIGINT')
    assert.equal(signals.kill.aborted, true)
  })
})
