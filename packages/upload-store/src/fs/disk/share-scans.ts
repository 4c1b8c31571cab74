/**
 * Returns a function that shares runs of `scan` between callers. Each caller sees every change made before its call: a
 * call during a run joins the next run.
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
