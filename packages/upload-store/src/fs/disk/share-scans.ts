/**
 * Lets callers share the work of `scan`, each seeing everything that happened before its call: who calls while one is
 * running shares the next.
 */
export function shareScans<T>(scan: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined
  let next: Promise<T> | undefined

  function start(): Promise<T> {
    next = undefined
    const started = scan().finally(() => {
      if (running === started) running = undefined
    })
    running = started
    return started
  }

  return () => {
    if (running === undefined) return start()
    next ??= running.then(start, start)
    return next
  }
}
