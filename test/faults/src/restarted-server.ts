import { failureIn, type RunningServer, startServer } from './server.ts'

/** A server that starts again on the same port and store each time it is killed. */
export class RestartedServer {
  readonly #directory: string
  #running: Promise<RunningServer>
  readonly faults: string[] = []

  constructor(directory: string) {
    this.#directory = directory
    this.#running = startServer(directory)
  }

  get running(): Promise<RunningServer> {
    return this.#running
  }

  kill(): void {
    this.#running = this.#running.then(async (server) => {
      this.#search(await server.kill())
      return startServer(this.#directory, Number(new URL(server.url).port))
    })
    // `running` and `stop` report the failure to whoever needs the server next.
    this.#running.catch(() => {})
  }

  async stop(): Promise<void> {
    const { code, stderr } = await (await this.#running).stop()
    if (code !== 0) this.faults.push(`the server ended with ${code}: ${stderr}`)
    this.#search(stderr)
  }

  #search(stderr: string): void {
    const failure = failureIn(stderr)
    if (failure !== undefined) this.faults.push(`the server logged ${failure}`)
  }
}
