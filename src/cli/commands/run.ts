import { fstatSync } from 'node:fs'
import { homedir } from 'node:os'
import {
  openMachineArchive,
  parseBinding,
  parseMemory,
  parseNetwork,
  parsePort,
  parseVariable,
  parseVolume,
  readVariableFile,
  runImage,
} from '#platform'
import type { Output } from '#sandbox'
import { command, type Surroundings } from '../command.ts'
import { signalsTo } from '../signals.ts'

/** `slipway run`. */
export const run = command({
  summary: 'Run an image from the store',
  arguments: {
    image: { help: 'name or digest of the image, or docker://REFERENCE to pull it into the store first' },
    words: { rest: true, help: 'arguments for its entrypoint, after --' },
  },
  options: {
    publish: {
      short: 'p',
      value: 'HOST:CONTAINER',
      multiple: true,
      help: 'offer a port of the app at a port of this machine ([ADDRESS:]HOST:CONTAINER)',
    },
    env: { short: 'e', value: 'NAME=VALUE', multiple: true, help: 'set a variable, or pass on NAME' },
    'env-file': { value: 'FILE', multiple: true, help: 'set the variables of a file, one a line' },
    process: { value: 'TYPE', help: 'start this process instead of the default one' },
    binding: { value: 'NAME=DIR', multiple: true, help: 'hand the app a service binding' },
    volume: { short: 'v', value: 'DIR:/PLACE[:ro]', multiple: true, help: 'mount a directory or file' },
    memory: { short: 'm', value: 'SIZE', help: 'limit of its memory, such as 512m or 2g' },
    'insecure-registry': {
      value: 'HOST',
      multiple: true,
      help: 'registry that may be spoken to without TLS or with an unknown certificate',
    },
    network: { value: 'KIND', help: "host (default: shares this machine's network) or none" },
  },
  examples: [
    'run applications/maven -p 8080:8080',
    'run shop --process worker -e LEVEL=debug --memory 512m',
    'run shop -- --port 9000',
  ],
  async run(input, surroundings) {
    const { home, environment, report, signal, interactive, workingDirectory } = surroundings
    const request = {
      image: input.image,
      insecureRegistries: input['insecure-registry'],
      words: input.words,
      process: input.process,
      ports: input.publish.map(parsePort),
      variables: await variablesOf(input, surroundings),
      bindings: input.binding.map(text => parseBinding(text, workingDirectory)),
      volumes: await Promise.all(input.volume.map(text => parseVolume(text, workingDirectory))),
      network: parseNetwork(input.network),
      memoryBytes: input.memory === undefined ? undefined : parseMemory(input.memory),
    }
    const job = { home, userHome: homedir(), environment, report, signal, now: Date.now }
    await using sources = openMachineArchive(job)
    using signals = signalsTo(process, interactive)
    return await runImage(request, {
      ...job,
      sources,
      interactive,
      stdout: outputTo(process.stdout, 1),
      stderr: outputTo(process.stderr, 2),
      kill: signals.kill,
      started: signals.started,
    })
  },
})

/**
 * The app writes to our own stream. Only where that is a socket (under a service manager, in pipes of some languages) its bytes pass through us, because
 * a socket cannot be opened again as /dev/stdout, as servers do for their logs.
 */
function outputTo(stream: NodeJS.WriteStream, descriptor: number): Output {
  return fstatSync(descriptor).isSocket() ? bytes => void stream.write(bytes) : 'inherit'
}

async function variablesOf(
  input: { readonly env: readonly string[]; readonly 'env-file': readonly string[] },
  { environment }: Surroundings,
): Promise<Record<string, string>> {
  const files = await Promise.all(input['env-file'].map(file => readVariableFile(file, environment)))
  const given = input.env.flatMap(text => {
    const variable = parseVariable(text, environment)
    return variable ? [variable] : []
  })
  return Object.fromEntries([...files.flat(), ...given])
}
