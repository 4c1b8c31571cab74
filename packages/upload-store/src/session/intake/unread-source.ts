import { isErrored, Readable } from 'node:stream'
import { sourceConsumed } from '../../contract/store-error.ts'
import type { ByteSource } from '../../contract/upload-session.ts'

/** Iterators that a store has read. Iterating one again gives no bytes and no error. */
const readIterators = new WeakSet<object>()

/**
 * Checks that the store is the first to read `source`, and records that it does. Otherwise an object without the missing
 * bytes would be published as if it were whole.
 *
 * A stream that was read is rejected even if the bytes were put back by `unshift`, because it does not tell the two apart.
 * An empty stream that was read to its end passes: it has lost nothing.
 *
 * @throws TypeError with the code ERR_SOURCE_CONSUMED
 */
export function checkUnread(source: ByteSource): void {
  const use = earlierUse(source)
  if (use !== null) {
    const message = `The source ${use} before the store could read it, so bytes are missing. Pass a stream that nothing else reads; mount upload routes above body parsers.`
    throw sourceConsumed(message)
  }
  // A generator, or another iterator that can be read once. The iterables that it may come from can be read again.
  if ('next' in source) readIterators.add(source)
}

/** What happened to the source, or `null` if it can be read from its start or throws an error of its own. */
function earlierUse(source: ByteSource): string | null {
  if (readIterators.has(source)) return 'was read by another upload'
  const [hasEnded, isDestroyed, isLocked] = ['readableEnded', 'destroyed', 'locked'].map(
    (name) => Reflect.get(source, name) === true,
  )
  // A stream that failed, or was destroyed before its end, throws its own error. For example, the client has
  // disconnected.
  if (asks(isErrored, source) || (isDestroyed && !hasEnded)) return null
  if (isLocked) return 'was locked by another reader'
  if (asks(Readable.isDisturbed, source)) return 'was read or cancelled'
  // An iterator that waits for bytes has this listener, too. Each chunk would reach only one of the two readers.
  if (source instanceof Readable && !hasEnded && source.listenerCount('readable') > 0)
    return 'had another reader'
  // Streams of old copies of readable-stream do not say whether they were read.
  return hasEnded && Reflect.get(source, 'readableDidRead') !== false ? 'was read' : null
}

/** Calls a function of Node that accepts web streams as well, although its type declaration does not. */
function asks(question: typeof isErrored | typeof Readable.isDisturbed, source: object): boolean {
  return Reflect.apply(question, undefined, [source]) === true
}
