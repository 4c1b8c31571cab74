import { statSync } from 'node:fs'
import { constants } from 'node:os'
import closeWithGrace from 'close-with-grace'
import { type Config, ConfigError } from '../config/config.ts'
import { flushStandardStreams, standardError, standardOutput } from '../observe/standard-streams.ts'
import { builtPage } from '../routes/page-files.ts'
import { bannerText } from './banner.ts'
import { listenWithWorkers } from './primary.ts'
import type { RunningServer } from './serve.ts'
import { listen } from './single.ts'
import { describeFailure } from './startup-error.ts'

/**
 * Starts the server, and prints its URL.
 *
 * @param argv the flags, for the text after the URL
 */
export async function start(config: Config, argv: readonly string[]): Promise<void> {
  checkAssets(config)
  builtPage()
  const server = await (config.workers === 1 ? listen(config) : listenWithWorkers(config))
  end(config, server)
  standardOutput().write(bannerText(server.url, config, argv))
}

/**
 * Ends the server at SIGTERM, SIGINT and the like (close-with-grace): the first signal drains
 * (`processes/serve.ts`, or `drain` of `processes/worker-pool.ts`), a second one ends at once. During startup a signal ends the process.
 */
function end({ tlsCert }: Config, { close, reload }: RunningServer): void {
  const options = {
    delay: false,
    logger: false,
    onSecondSignal: (signal) => process.exit(128 + constants.signals[signal]),
    // A closing terminal sends SIGHUP too. Without a certificate to read again, SIGHUP ends the server.
    skip: tlsCert === undefined ? [] : ['SIGHUP'],
  } satisfies closeWithGrace.Options
  if (tlsCert !== undefined) process.on('SIGHUP', reload)
  closeWithGrace(options, async ({ err }) => {
    if (err !== undefined) standardError().write(`${describeFailure(err).text}\n`)
    await close()
    await flushStandardStreams()
  })
}

function checkAssets({ assets }: Config): void {
  try {
    if (statSync(assets).isDirectory()) return
  } catch (error) {
    throw new ConfigError(`--assets cannot be read: ${error instanceof Error ? error.message : error}.`)
  }
  throw new ConfigError(`--assets ${assets} is not a directory. Choose an existing one.`)
}
