import { resolve } from 'node:path'
import { rebaseStored } from '#platform'
import { command } from '../command.ts'

export const rebase = command({
  summary: 'Put a new operating system under a built image, without rebuilding it',
  arguments: { image: { help: 'image to rebase' } },
  options: {
    'run-image': { value: 'NAME', help: 'new base (default: the one that the image names)' },
    'previous-image': { value: 'NAME', help: 'rebase this one, and give only the result the name' },
    publish: { help: 'rebase it in its registry; no layer is downloaded' },
    'insecure-registry': {
      value: 'HOST',
      multiple: true,
      help: 'registry that may be spoken to without TLS or with an unknown certificate',
    },
    'report-output-dir': { value: 'DIR', help: 'write report.toml there' },
    force: { short: 'f', help: 'go on where a rule is broken that may be; each is said' },
    json: { help: 'print the result as JSON' },
  },
  examples: [
    'rebase applications/maven --run-image slipway/run:base-previous',
    'rebase applications/maven',
    'rebase shop:patched --previous-image shop',
    'rebase registry.example/team/shop:1.2 --publish',
  ],

  async run(input, { report, home, environment, workingDirectory, signal, print }) {
    const { image, runImage, unchanged } = await rebaseStored({
      name: input.image,
      runImage: input['run-image'],
      previousImage: input['previous-image'],
      publish: input.publish,
      insecureRegistries: input['insecure-registry'],
      reportDirectory:
        input['report-output-dir'] === undefined
          ? undefined
          : resolve(workingDirectory, input['report-output-dir']),
      force: input.force,
      home,
      environment,
      report,
      signal,
    })
    report.line(
      unchanged ? `${input.image} stands on ${runImage} already` : `${input.image} now stands on ${runImage}`,
    )
    report.line(`Successfully rebased image ${input.image}`)
    print(
      input.json
        ? JSON.stringify({ image: input.image, digest: image.digest, runImage, unchanged }, null, 2)
        : image.digest,
    )
    return 0
  },
})
