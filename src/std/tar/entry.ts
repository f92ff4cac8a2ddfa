import type { Readable } from 'node:stream'

/** Kinds of tar entries (POSIX.1-2001 ustar type flags 0, 5, 2, 1, 6, 3, 4). */
export type TarType = 'file' | 'directory' | 'symlink' | 'link' | 'fifo' | 'character' | 'block'

/** What a tar header says of one entry. Names are bytes and are written exactly as given. */
export interface TarHeader {
  readonly name: Buffer | string
  readonly type: TarType
  /** Permission bits with setuid, setgid and sticky (at most 0o7777). */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Seconds since 1970. */
  readonly mtime: number
  /** Bytes of content; 0 for anything but a file. */
  readonly size: number
  /** Target of a link, as bytes. */
  readonly linkname?: Buffer | string
  /** Further PAX records, such as `SCHILY.xattr.security.capability`. */
  readonly pax?: Readonly<Record<string, Buffer | string>>
  /** Read from, or to be written in, GNU tar's format of before POSIX: another magic, and long names in entries of their own. */
  readonly gnu?: boolean
  /** Device numbers of a character or block device. */
  readonly device?: { readonly major: number; readonly minor: number }
}

/** An entry to be written; content is bytes, or something that opens them when their turn comes. */
export interface TarEntry extends TarHeader {
  readonly content?:
    | Uint8Array
    | (() => Readable | AsyncIterable<Uint8Array> | Promise<AsyncIterable<Uint8Array>>)
}

/** Size of a tar block in bytes. */
export const BLOCK = 512
