import type { Executor } from '#lifecycle'
import { openSandbox } from '#sandbox'
import { Problem } from '#std'

/**
 * Runs executables of buildpacks as children of this process. Nothing is isolated: a lifecycle is run in a container, and that is the sandbox. All that an
 * executable started is dead when its run ends, so that what it wrote stands still while it is read.
 */
export async function childExecutor(): Promise<Executor> {
  // The lifecycle's programs are only ever the inside of a container, whatever signs its engine leaves or does not.
  const sandbox = await openSandbox({
    driver: 'plain',
    temporary: '/tmp',
    environment: { container: 'lifecycle' },
  })
  return {
    async run({ phase, command, cwd, env, output, signal }) {
      try {
        const outcome = await sandbox.run({
          ...{ command, cwd, env, mounts: [], network: 'host', stdout: output, stderr: output },
          ...(signal && { signal }),
        })
        if (outcome.reason === 'exit' && outcome.exitCode !== undefined) return { exitCode: outcome.exitCode }
        return { why: outcome.signal ? `was ended by ${outcome.signal}` : 'was stopped' }
      } catch (error) {
        if (!(error instanceof Problem) || error.code !== 'SANDBOX_COMMAND_MISSING') throw error
        return { why: `its bin/${phase} cannot be started (is it there, and executable?)` }
      }
    },
  }
}
