import { readFileSync, writeFileSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pretendBoot } from './boot.ts'
import { DurableImage } from './durable-image.ts'
import { expectationOf, type Line } from './expectation.ts'
import { InvariantWatcher } from './invariant-watcher.ts'
import { checkObjects } from './objects.ts'
import type { Scenario } from './scenario.ts'
import { scenarioOf } from './scenarios.ts'
import { Stage } from './stage.ts'
import type { ImageNote, Task } from './task.ts'
import { Counter, describeCall, Failer, Killer } from './watchers.ts'
import { openBelow, unwatched, type Watcher, watch } from './wrapper.ts'

const REPORT = 3

/** One scenario, disturbed as its task says. */
class Child {
  readonly #task: Task
  readonly #lines: Line[]
  readonly #stage: Stage
  #image: DurableImage | undefined
  #images = 0

  constructor(task: Task) {
    this.#task = task
    this.#lines = [...task.lines]
    const sessions = [...expectationOf(task.lines).sessions.values()]
    this.#stage = new Stage(task.directory, sessions, (line) => this.#tell(line))
  }

  /** Written at once, to a descriptor that is not the store's: the parent knows of it whatever happens next. */
  #tell(line: Line): void {
    this.#lines.push(line)
    writeSync(REPORT, `${JSON.stringify(line)}\n`)
    unwatched(() => this.#image?.told())
  }

  async run({ prepare, unsynced = false }: Scenario): Promise<void> {
    const work = await prepare(this.#stage)
    const { mode } = this.#task
    const onFault = (text: string) => this.#tell({ type: 'fault', text })
    const counter =
      mode.type === 'count' ? new InvariantWatcher(this.#task.directory, onFault) : new Counter()
    const stop = watch(
      dirname(this.#task.directory),
      mode.type === 'count' ? counter : this.#watcher(unsynced),
    )
    if (mode.type === 'fail') await this.#tryTwice(work, mode.error, stop)
    else await work()
    stop()
    this.#image?.close()
    this.#image = undefined
    await this.#stage.store.close()
    for (const path of openBelow(this.#task.directory))
      this.#tell({ type: 'fault', text: `${path} is still open` })
    this.#tell({ type: 'calls', calls: counter.calls })
  }

  #watcher(unsynced: boolean): Watcher {
    const { mode, directory } = this.#task
    if (mode.type === 'kill') return new Killer(mode.at, mode.phase)
    if (mode.type === 'fail') return new Failer(mode.at, mode.error)
    if (mode.type === 'count') return new Counter()
    this.#image = new DurableImage(dirname(directory), unsynced, (call, view, save) => {
      this.#images++
      const target = join(mode.images, String(this.#images))
      save(target)
      const name = call === undefined ? 'the start' : describeCall(call)
      const [at, step] = [call?.number ?? 0, call?.step ?? null]
      const note: ImageNote = { at, step, call: name, view, lines: this.#lines.length }
      writeFileSync(`${target}.json`, JSON.stringify(note))
    })
    this.#image.step()
    return this.#image
  }

  /** What failed is tried again in the same process, where everything is in order again, and has to succeed. */
  async #tryTwice(work: () => Promise<unknown>, code: string, stop: () => void): Promise<void> {
    try {
      await work()
    } catch (error) {
      stop()
      const found = error instanceof Error && 'code' in error ? error.code : undefined
      const wanted = IN_STORE_TERMS[code] ?? code
      // Opening the store throws what the file system does.
      if (found !== wanted && found !== code)
        this.#tell({ type: 'fault', text: `${code} came out as ${found}: ${error}` })
      await work()
    }
    stop()
    for (const { text } of await checkObjects(this.#stage.store, expectationOf(this.#lines)))
      this.#tell({ type: 'fault', text: `in the same process: ${text}` })
  }
}

/** What the store makes of an error of the file system. */
const IN_STORE_TERMS: Readonly<Record<string, string>> = { ENOSPC: 'NO_SPACE', EIO: 'UNAVAILABLE' }

const task = JSON.parse(readFileSync(0, 'utf8')) as Task
if (task.boot !== undefined) pretendBoot(task.boot)
await new Child(task).run(scenarioOf(task.scenario))
