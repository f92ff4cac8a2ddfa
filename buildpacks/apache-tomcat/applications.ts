import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import { findFiles, isSystemError, Problem, readManifest } from '#sdk'

/** A web application for Tomcat to serve. */
export interface WebApplication {
  /** The name of Tomcat's context file: `ROOT`, `shop`, `shop#admin` for the path `/shop/admin`. */
  readonly context: string
  /** The directory of the unpacked application, relative to the app. Empty for the app's directory itself. */
  readonly directory: string
  /** The WAR file that it is still packed in. */
  readonly file?: string
}

/**
 * Finds web applications: the app's directory if it is an unpacked WAR file (it has `WEB-INF`), else each WAR file in it. One with
 * a main class starts itself and is none of Tomcat's.
 */
export async function findApplications(application: string, contextPath: string): Promise<WebApplication[]> {
  if (await isDirectory(join(application, 'WEB-INF'))) {
    const manifest = await readManifest(application)
    return manifest?.get('Main-Class') ? [] : [{ context: contextName(contextPath), directory: '' }]
  }
  const files = await findFiles(application, '*.war')
  return files.map(file => {
    const name = file.slice(0, -'.war'.length)
    const context = files.length === 1 ? contextName(contextPath) : name
    return { context, directory: name, file }
  })
}

/** Tomcat's name for a context path: slashes become `#` (Tomcat reference, "The Context Container", Naming). */
export function contextName(path: string): string {
  const name = path.replace(/^\/+|\/+$/g, '').replaceAll('/', '#')
  if (name !== '' && !/^[\w.~#-]+$/.test(name)) throw contextPathRefused(path)
  return name || 'ROOT'
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isDirectory()
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return false
    throw error
  }
}

function contextPathRefused(path: string): Problem {
  return new Problem('CONFIGURATION_INVALID', {
    what: 'Cannot use $BP_TOMCAT_CONTEXT_PATH',
    why: `${JSON.stringify(path.slice(0, 100))} has other characters than letters, digits and ._~-/`,
    fix: 'Set it to a path such as /shop or /shop/admin.',
  })
}
