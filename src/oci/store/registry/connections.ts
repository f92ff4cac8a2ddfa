import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Http, isSystemError, openHttp } from '#std'

/** How registries are reached. */
export interface ConnectionOptions {
  /** For proxies. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** PEM text of further authorities; asked for when a connection first needs it. */
  readonly certificates?: (() => Promise<string | undefined>) | undefined
  /** Directories with one directory for each `HOST[:PORT]`, of `*.crt`, `*.cert` and `*.key` files, as Docker has them in `certs.d`. */
  readonly certificateDirectories: readonly string[]
  /** Hosts whose certificates are not looked at. */
  readonly insecure: (host: string) => Promise<boolean>
  readonly retries?: number | undefined
  readonly patience?: number | undefined
}

/** Clients for hosts: each host sees its own client certificate alone, and only a host that is named so goes unverified. */
export class Connections implements AsyncDisposable {
  readonly #options: ConnectionOptions
  readonly #clients = new Map<string, Promise<Http>>()

  constructor(options: ConnectionOptions) {
    this.#options = options
  }

  to({ protocol, host }: URL): Promise<Http> {
    const key = protocol === 'https:' ? host : ''
    const known = this.#clients.get(key)
    if (known) return known
    const opening = key === '' ? this.#open({}) : this.#openSecure(host)
    this.#clients.set(key, opening)
    return opening
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients.values())
      await (await client.catch(() => undefined))?.[Symbol.asyncDispose]()
  }

  async #openSecure(host: string): Promise<Http> {
    const own = await readCertificates(this.#options.certificateDirectories, host)
    const shared = await this.#options.certificates?.()
    const pem = [...own.authorities, ...(shared ? [shared] : [])].join('\n')
    return this.#open({
      ...(pem !== '' && { certificates: pem }),
      ...(own.client && { clientCertificate: own.client }),
      unverified: await this.#options.insecure(host),
    })
  }

  async #open(tls: Parameters<typeof openHttp>[0]): Promise<Http> {
    const { environment, retries, patience } = this.#options
    return openHttp({
      environment,
      ...tls,
      ...(retries !== undefined && { retries }),
      ...(patience !== undefined && { patience }),
    })
  }
}

async function readCertificates(directories: readonly string[], host: string) {
  const authorities: string[] = []
  let client: { certificate: string; key: string } | undefined
  for (const parent of directories) {
    const directory = join(parent, host)
    const names: string[] = await readdir(directory).catch((error: unknown) => {
      if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return [] as string[]
      throw error
    })
    for (const name of names.sort()) {
      if (name.endsWith('.crt')) authorities.push(await readFile(join(directory, name), 'utf8'))
      if (!name.endsWith('.cert') || client) continue
      const key = `${name.slice(0, -'.cert'.length)}.key`
      if (!names.includes(key)) continue
      client = {
        certificate: await readFile(join(directory, name), 'utf8'),
        key: await readFile(join(directory, key), 'utf8'),
      }
    }
  }
  return { authorities, client }
}
