/** A builder that people may want to know of. */
export interface KnownBuilder {
  readonly vendor: string
  readonly image: string
  readonly description: string
}

/** Builders of ours and of others, by name only: nothing is asked of a registry. */
export const KNOWN_BUILDERS: readonly KnownBuilder[] = [
  {
    vendor: 'slipway',
    image: 'slipway builder create NAME',
    description: 'Java, Go, Node.js and Procfile apps on Debian trixie',
  },
  {
    vendor: 'slipway',
    image: 'slipway builder create NAME --base build:base-bookworm',
    description: 'the same on Debian bookworm',
  },
  {
    vendor: 'Paketo Buildpacks',
    image: 'paketobuildpacks/builder-jammy-base',
    description: 'Java, Go, Node.js, .NET, Python, Ruby, PHP, Procfile and web servers on Ubuntu 22.04',
  },
  {
    vendor: 'Paketo Buildpacks',
    image: 'paketobuildpacks/builder-jammy-full',
    description: 'the same with more of the distribution',
  },
  {
    vendor: 'Paketo Buildpacks',
    image: 'paketobuildpacks/builder-jammy-tiny',
    description: 'Java and Go on a run image without a shell',
  },
  {
    vendor: 'Heroku',
    image: 'heroku/builder:24',
    description: 'Java, Go, Node.js, .NET, PHP, Python, Ruby and Scala on Ubuntu 24.04',
  },
  {
    vendor: 'Google',
    image: 'gcr.io/buildpacks/builder:google-22',
    description: 'Java, Go, Node.js, .NET, Python, PHP and Ruby on Ubuntu 22.04',
  },
]
