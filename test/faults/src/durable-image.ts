import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
} from 'node:fs'
import { join } from 'node:path'
import {
  type DirectoryNode,
  describeTree,
  type Entries,
  type FileNode,
  type Node,
  type View,
  writeTree,
} from './tree.ts'
import { shortPath } from './watchers.ts'
import type { Call, Watcher } from './wrapper.ts'

/**
 * @param call the last before the cut
 * @param view what is taken to be on the disk
 * @param save makes the image in a new directory
 */
type OnImage = (call: Call | undefined, view: string, save: (target: string) => void) => void

// Of Linux; opens symbolic links too.
const O_PATH = 0o10000000

/**
 * What a power cut would leave on the disk: of each file the bytes of its last sync, of each directory the entries of
 * its last sync. A disk may have written more than it was told to, so images are also made with one directory, or all
 * of them, as they are now, and with zeros for bytes that were written and not synced.
 */
export class DurableImage implements Watcher {
  readonly #root: DirectoryNode
  readonly #nodes = new Map<number, Node>()
  readonly #syncs = new Map<number, () => void>()
  readonly #seen = new Set<string>()
  readonly #onImage: OnImage
  #call: Call | undefined

  /**
   * Everything below `root` is durable when this is made, but for the bytes of blobs where `unsynced` says so.
   *
   * @param onImage called for each image that is unlike all before it
   */
  constructor(root: string, unsynced: boolean, onImage: OnImage) {
    this.#onImage = onImage
    const node = this.#nodeAt(root)
    if (node.type !== 'directory') throw new Error(`${root} is no directory`)
    this.#root = node
    this.#settle(node, unsynced)
  }

  before(call: Call): void {
    if (call.descriptor === undefined || !/^(?:data)?sync$/.test(call.name)) return
    const path = `/proc/self/fd/${call.descriptor}`
    const node = this.#nodes.get(fstatSync(call.descriptor).ino) ?? this.#nodeAt(readlinkSync(path))
    // What comes while the disk is at it may be too late.
    this.#syncs.set(call.number, this.#capture(node))
  }

  after(call: Call, failed: boolean): void {
    if (!failed) this.#syncs.get(call.number)?.()
    this.#syncs.delete(call.number)
    this.#call = call
    this.step()
  }

  /** The parent has been told something: it may expect more of an image that it knows. */
  told(): void {
    this.#seen.clear()
    this.step()
  }

  /** Offers the images that the disk may hold at this moment. */
  step(): void {
    const directories = [...this.#nodes.values()].filter((node) => node.type === 'directory')
    const changed = directories.filter((node) => isUnlike(this.#now(node), node.durable))
    const ahead: [string, readonly DirectoryNode[]][] = [
      ['only what was synced', []],
      ['all directories as they are', directories],
      ...changed.map((node): [string, DirectoryNode[]] => [`${shortPath(node.path)} as it is`, [node]]),
    ]
    for (const [name, early] of ahead) {
      const entries = (node: DirectoryNode) => (early.includes(node) ? this.#now(node) : node.durable)
      this.#offer(name, { entries, bytes: (file) => file.durable })
      this.#offer(`${name}, zeros for unsynced bytes`, { entries, bytes: withZeros })
    }
  }

  /** Lets go of the files; nothing can be asked of it afterwards. */
  close(): void {
    for (const node of this.#nodes.values()) closeSync(node.descriptor)
  }

  #offer(name: string, view: View): void {
    const signature = describeTree(this.#root, view)
    if (this.#seen.has(signature)) return
    this.#seen.add(signature)
    this.#onImage(this.#call, name, (target) => writeTree(this.#root, view, target))
  }

  /** The entries as they are, or as they were of a directory that is gone. */
  #now({ path, durable }: DirectoryNode): Entries {
    try {
      return new Map(readdirSync(path).map((name) => [name, this.#nodeAt(join(path, name))]))
    } catch {
      return durable
    }
  }

  #nodeAt(path: string): Node {
    const stat = lstatSync(path)
    const known = this.#nodes.get(stat.ino)
    if (known !== undefined) return known
    // Held open: the inode's number must not come back as another file's.
    const kept = { inode: stat.ino, descriptor: openSync(path, O_PATH | constants.O_NOFOLLOW) }
    const node: Node = stat.isDirectory()
      ? { ...kept, type: 'directory', path, durable: new Map() }
      : stat.isSymbolicLink()
        ? { ...kept, type: 'link', text: readlinkSync(path) }
        : { ...kept, type: 'file', mode: stat.mode, durable: Buffer.alloc(0) }
    this.#nodes.set(stat.ino, node)
    return node
  }

  /** Returns what makes a node durable as it is now. */
  #capture(node: Node): () => void {
    if (node.type === 'link') return () => {}
    if (node.type === 'directory') {
      const entries = this.#now(node)
      return () => {
        node.durable = entries
      }
    }
    const bytes = bytesNow(node)
    return () => {
      node.durable = bytes
    }
  }

  #settle(node: Node, unsynced: boolean): void {
    this.#capture(node)()
    if (node.type !== 'directory') return
    for (const [name, below] of node.durable)
      if (!unsynced || !/^(?:[\w-]{22}|[\da-f]{64})$/.test(name)) this.#settle(below, unsynced)
  }
}

function bytesNow({ descriptor }: FileNode): Buffer {
  return readFileSync(`/proc/self/fd/${descriptor}`)
}

/** As long as the file is now, as file systems do that write lengths before bytes. */
function withZeros(file: FileNode): Buffer {
  const now = bytesNow(file)
  return Buffer.concat(
    [file.durable, Buffer.alloc(Math.max(0, now.length - file.durable.length))],
    now.length,
  )
}

function isUnlike(a: Entries, b: Entries): boolean {
  return a.size !== b.size || [...a].some(([name, node]) => b.get(name) !== node)
}
