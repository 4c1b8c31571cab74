/** Runs tasks one after the other, in the order of the calls. A task that fails does not stop the next one. */
export class TaskQueue {
  #end: Promise<unknown> = Promise.resolve()

  /** Resolves when every task so far has ended. Another promise after each call of `run`. */
  get end(): Promise<unknown> {
    return this.#end
  }

  run<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#end.then(task)
    this.#end = result.catch(() => undefined)
    return result
  }
}

/** Runs tasks of the same key one after the other, and those of different keys side by side. */
export class KeyedQueue {
  readonly #queues = new Map<string, TaskQueue>()

  /** Resolves when every task so far has ended. */
  async idle(): Promise<void> {
    await Promise.all([...this.#queues.values()].map(({ end }) => end))
  }

  run<T>(key: string, task: () => Promise<T>): Promise<T> {
    const queue = this.#queues.get(key) ?? new TaskQueue()
    this.#queues.set(key, queue)
    const result = queue.run(task)
    const { end } = queue
    void end.then(() => {
      if (queue.end === end) this.#queues.delete(key)
    })
    return result
  }
}
