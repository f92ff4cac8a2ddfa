import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** What a file of a tree for a test is: its text, or more. */
export type Node =
  | string
  | { readonly content: string | Buffer; readonly mode?: number }
  | { readonly link: string }
  | { readonly directory: number }

/** Makes files, links and directories below `root`; files 0644 and directories 0755 unless said, whatever the umask. */
export async function makeTree(root: string, nodes: Readonly<Record<string, Node>>): Promise<void> {
  for (const [name, node] of Object.entries(nodes)) {
    const path = join(root, name)
    await makeDirectories(root, dirname(name))
    if (typeof node === 'string' || 'content' in node) {
      const { content, mode = 0o644 } = typeof node === 'string' ? { content: node } : node
      await writeFile(path, content)
      await chmod(path, mode)
    } else if ('link' in node) await symlink(node.link, path)
    else {
      await mkdir(path, { recursive: true })
      await chmod(path, node.directory)
    }
  }
}

async function makeDirectories(root: string, below: string): Promise<void> {
  let path = root
  for (const step of below.split('/').filter(each => each !== '.')) {
    path = join(path, step)
    if (
      await mkdir(path).then(
        () => true,
        () => false,
      )
    )
      await chmod(path, 0o755)
  }
}
