/**
 * The bubblewrap program: a file to execute, or one that was unpacked from packages and is executed by its own dynamic loader
 * (`LOADER --library-path PATH BINARY`), so that nothing has to be installed.
 */
export type BwrapProgram =
  | { readonly path: string }
  | { readonly loader: string; readonly libraryPath: string; readonly binary: string }
