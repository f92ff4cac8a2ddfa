export { bootId } from './boot.ts'
export { readAll } from './bytes.ts'
export { type Digest, Digesting, digestOf, hexOf, isDigest, parseDigest } from './digest.ts'
export {
  emptyDirectory,
  isDirectory,
  isFile,
  isGzip,
  isInside,
  openDisposable,
  readIfExists,
  removeTree,
  replaceFile,
  streamToNewFile,
  syncDirectory,
  type TemporaryDirectory,
  temporaryDirectory,
  writeDurably,
} from './files.ts'
export { isLoopback, proxyFor } from './http/proxy.ts'
export {
  type Http,
  type HttpAnswer,
  type HttpGet,
  type HttpOptions,
  type HttpRequest,
  letGo,
  openHttp,
  waitAsked,
} from './http.ts'
export {
  type CertificateBundle,
  javaTruststore,
  javaTruststoreFromPem,
  printCertificates,
  readCertificates,
  TRUSTSTORE_PASSWORD,
} from './jks.ts'
export { parseExactJson, parseJson, printJson } from './json.ts'
export { keepNewest } from './keep-newest.ts'
export { byBytes } from './order.ts'
export { ownedDirectory } from './owned-directory.ts'
export { isSystemError, Problem, type ProblemWords } from './problem.ts'
export { type Held, isAlive, lockFile, thisProcess, tryLockFile } from './process-lock.ts'
export { printable, redact } from './redact.ts'
export { type Progress, type Report, recording, silent } from './report.ts'
export { check } from './schema.ts'
export { BLOCK, type TarEntry, type TarHeader, type TarType } from './tar/entry.ts'
export { packTar } from './tar/pack.ts'
export { GENEROUS, type ReadEntry, readTar, type TarLimits } from './tar/read.ts'
export { headerBlocks } from './tar/write-header.ts'
export { parseToml, printToml, type TomlTable } from './toml.ts'
export { VERSION } from './version.ts'
export { openZip, openZipBytes, type ZipArchive, type ZipEntry, type ZipLimits } from './zip.ts'
