import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

interface Inode {
  readonly inode: number
  readonly descriptor: number
}

export interface FileNode extends Inode {
  readonly type: 'file'
  readonly mode: number
  /** Its bytes when they were last synced. */
  durable: Buffer
}

interface LinkNode extends Inode {
  readonly type: 'link'
  readonly text: string
}

export interface DirectoryNode extends Inode {
  readonly type: 'directory'
  readonly path: string
  /** Its entries when it was last synced. */
  durable: Entries
}

export type Node = FileNode | LinkNode | DirectoryNode
export type Entries = ReadonlyMap<string, Node>

/** What is taken to be on the disk. */
export interface View {
  readonly entries: (directory: DirectoryNode) => Entries
  readonly bytes: (file: FileNode) => Buffer
}

/** Equal for equal images only. */
export function describeTree(node: Node, view: View): string {
  if (node.type === 'link') return `-> ${node.text}`
  if (node.type === 'file') return `${node.inode}=${view.bytes(node).toString('base64')}`
  const below = [...view.entries(node)].map(([name, one]) => `${name}:${describeTree(one, view)}`)
  return `{${below.sort().join(',')}}`
}

/** Makes an image in a new directory; what was one file under several names is so again. */
export function writeTree(
  node: Node,
  view: View,
  target: string,
  placed: Map<Node, string> = new Map(),
): void {
  const first = placed.get(node)
  if (node.type === 'directory') {
    mkdirSync(target, { mode: 0o700 })
    for (const [name, below] of view.entries(node)) writeTree(below, view, join(target, name), placed)
  } else if (node.type === 'link') {
    symlinkSync(node.text, target)
  } else if (first !== undefined) {
    linkSync(first, target)
  } else {
    writeFileSync(target, view.bytes(node), { mode: node.mode })
    placed.set(node, target)
  }
}
