import { createHash } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'
import { basename } from 'node:path'
import type { Component } from '#bom'
import { purl } from '#bom'
import { openZip, Problem, type ZipArchive } from '#std'
import { type Coordinates, coordinatesOf } from './coordinates.ts'
import { MANIFEST, type Manifest, parseManifest } from './manifest.ts'

/** A jar, read but not unpacked. */
export interface Jar extends Coordinates {
  readonly file: string
  readonly manifest: Manifest
  /** Names of all entries. */
  readonly entries: readonly string[]
  /** Why nothing is known of the jar but its name: Java puts up with archives that are refused here. */
  readonly unreadable?: string
}

/** Reads the directory, the manifest and the Maven properties of a jar; one that is not a proper zip file is `unreadable`. */
export async function readJar(file: string): Promise<Jar> {
  try {
    return await readProperJar(file)
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'ZIP_MALFORMED') throw error
    const manifest = parseManifest(Buffer.alloc(0))
    const named = coordinatesOf(basename(file), manifest, [])
    return { file, manifest, entries: [], unreadable: error.why, ...named }
  }
}

async function readProperJar(file: string): Promise<Jar> {
  await using archive = await openZip(file)
  const manifest = parseManifest(await content(archive, MANIFEST))
  const properties: Map<string, string>[] = []
  for (const { name } of archive.entries)
    if (/^META-INF\/maven\/[^/]+\/[^/]+\/pom\.properties$/.test(name))
      properties.push(parseProperties((await content(archive, name)).toString('utf8')))
  return {
    file,
    manifest,
    entries: archive.entries.map(({ name }) => name),
    ...coordinatesOf(basename(file), manifest, properties),
  }
}

async function content(archive: ZipArchive, name: string): Promise<Buffer> {
  const entry = archive.find(name)
  return entry && entry.type === 'file' ? await archive.read(entry, 1024 * 1024) : Buffer.alloc(0)
}

/** `pom.properties` holds plain `name=value` lines. */
export function parseProperties(text: string): Map<string, string> {
  const pairs = [...text.matchAll(/^([A-Za-z]+)=([^\r\n]*)/gm)]
  return new Map(pairs.map(([, name = '', value = '']) => [name, value.trim()]))
}

/** What is being hashed at the moment. */
const PIECE = Buffer.alloc(1 << 20)

/** The jar as a component for bills of materials, with the digests that vulnerability scanners look jars up by. */
export async function componentOfJar({ file, group, name, version, classifier }: Jar): Promise<Component> {
  const qualifiers = classifier ? { qualifiers: { classifier } } : {}
  const [sha1, sha256] = [createHash('sha1'), createHash('sha256')]
  const opened = openSync(file, 'r')
  try {
    for (let read = PIECE.length; read > 0; ) {
      read = readSync(opened, PIECE)
      for (const hash of [sha1, sha256]) hash.update(PIECE.subarray(0, read))
    }
  } finally {
    closeSync(opened)
  }
  return {
    type: 'library',
    name,
    version,
    ...(group && { group }),
    ...(group &&
      version && { purl: purl({ type: 'maven', namespace: group, name, version, ...qualifiers }) }),
    hashes: { 'SHA-1': sha1.digest('hex'), 'SHA-256': sha256.digest('hex') },
  }
}
