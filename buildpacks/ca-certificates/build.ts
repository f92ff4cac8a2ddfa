import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type Build,
  type BuildContext,
  type Layer,
  Problem,
  printCertificates,
  readCertificates,
  readIfExists,
} from '#sdk'
import { subjectHash } from './subject-hash.ts'

const SYSTEM_BUNDLE = '/etc/ssl/certs/ca-certificates.crt'

/** Variables that programs find a file of authorities by; OpenSSL, Go, Python and Ruby go by the first. */
const FILE_VARIABLES = [
  'SSL_CERT_FILE',
  'CURL_CA_BUNDLE',
  'GIT_SSL_CAINFO',
  'NODE_EXTRA_CA_CERTS',
  'PIP_CERT',
  'REQUESTS_CA_BUNDLE',
]

/** Lets later buildpacks trust what bindings hold, and adds the start-up helper that does so in the image. */
export const build: Build = async context => {
  const { layers, required } = context
  const certificates = await namedCertificates(context)
  if (certificates.length > 0) await trust(context, certificates)
  if (!required('ca-certificates-helper')) return
  await layers.contribute('helper', {
    title: 'Launch Helper',
    types: { launch: true },
    metadata: { helpers: ['ca-certificates'] },
    make: layer => layer.startUpHelper('ca-certificates'),
  })
}

async function namedCertificates({ plan }: BuildContext): Promise<readonly Buffer[]> {
  const paths = plan
    .filter(({ name }) => name === 'ca-certificates')
    .flatMap(({ metadata }) => (Array.isArray(metadata?.paths) ? metadata.paths.map(String) : []))
  const texts: string[] = []
  for (const path of paths) {
    const text = await readFile(path, 'utf8')
    if (readCertificates(text).certificates.length === 0) throw noCertificate(path)
    texts.push(text)
  }
  return readCertificates(texts.join('\n')).certificates
}

async function trust(context: BuildContext, certificates: readonly Buffer[]): Promise<void> {
  const embed = context.configuration.flag('BP_EMBED_CERTS')
  await context.layers.contribute('ca-certificates', {
    title: 'CA Certificates',
    types: { build: true, launch: embed },
    metadata: {},
    async make(layer) {
      await writeFiles(
        layer,
        certificates,
        embed ? undefined : context.environment.SSL_CERT_FILE || SYSTEM_BUNDLE,
      )
      const directory = join(layer.directory, 'ca-certificates')
      layer.environment.build.append('SSL_CERT_DIR', directory, ':')
      if (embed) {
        layer.environment.build.default('SSL_CERT_FILE', SYSTEM_BUNDLE)
        // The authorities of the base stay those of the base, so that they change with it.
        layer.environment.launch.append('SSL_CERT_DIR', directory, ':')
        layer.environment.launch.default('SSL_CERT_FILE', SYSTEM_BUNDLE)
        context.log.detail('Embedding CA certificate(s)')
      } else {
        for (const name of FILE_VARIABLES)
          layer.environment.build.override(name, join(layer.directory, 'ca-certificates.crt'))
      }
      context.log.detail(`Added ${certificates.length} additional CA certificate(s) to system truststore`)
    },
  })
}

/** A file a certificate, named as OpenSSL looks for it; and all authorities in one file, over what `bundle` holds. */
async function writeFiles(
  layer: Layer,
  certificates: readonly Buffer[],
  bundle: string | undefined,
): Promise<void> {
  const directory = join(layer.directory, 'ca-certificates')
  await mkdir(directory)
  const counts = new Map<string, number>()
  for (const certificate of certificates.toSorted(Buffer.compare)) {
    const hash = subjectHash(certificate)
    const count = counts.get(hash) ?? 0
    counts.set(hash, count + 1)
    await writeFile(join(directory, `${hash}.${count}`), printCertificates([certificate]))
  }
  if (bundle === undefined) return
  const old = readCertificates((await readIfExists(bundle)) ?? '').certificates
  await writeFile(join(layer.directory, 'ca-certificates.crt'), printCertificates([...old, ...certificates]))
}

const noCertificate = (path: string) =>
  new Problem('BINDING_NO_CERTIFICATE', {
    what: 'Cannot trust a binding of type ca-certificates',
    why: `there is no PEM certificate in ${path}`,
    fix: 'Put BEGIN CERTIFICATE blocks into each entry of the binding.',
  })
