import cluster from 'node:cluster'
import { inspect } from 'node:util'
import type { Config } from '../config/config.ts'
import { createLogger, logWarnings, reportDamage } from '../observe/log.ts'
import { Metrics } from '../observe/metrics.ts'
import { flushStandardStreams, standardError } from '../observe/standard-streams.ts'
import { sendToPrimary, type ToWorker } from './messages.ts'
import { openStore } from './open-store.ts'
import { serve } from './serve.ts'
import { sharedSlots } from './shared-slots.ts'
import { sharedTraces } from './shared-traces.ts'
import { sharedUploadCount } from './shared-uploads.ts'
import { describeFailure, expectedFailure } from './startup-error.ts'

/** Signals that a terminal sends to all of its processes: the primary decides what follows from them. */
const FOR_THE_PRIMARY = ['SIGINT', 'SIGQUIT', 'SIGHUP'] as const

/** Answers requests on the port that the primary shares out, until the primary ends this worker or disappears. */
export async function work(config: Config): Promise<void> {
  const end = endOnce()
  try {
    const logger = createLogger(config).child({ pid: process.pid })
    logWarnings(logger)
    const slots = sharedSlots()
    const metrics = new Metrics()
    const store = await openStore(config, reportDamage(logger, metrics))
    const { close, reload } = await serve(config, store, logger, {
      metrics,
      slots,
      uploads: sharedUploadCount(),
      traces: sharedTraces(),
    })
    process.on('message', (message: ToWorker) => {
      if (message.type === 'reload') reload()
    })
    end.after(close)
  } catch (error) {
    await report(error)
  }
}

/** Ends this process once, for whatever reason comes first; at once while there is nothing that has to be waited for. */
function endOnce(): { after(close: () => Promise<void>): void } {
  let close = async (): Promise<void> => {}
  let ending = false
  let exitCode = 0

  function leave(): void {
    if (process.connected) sendToPrimary({ type: 'leave' })
    else end()
  }

  async function end(): Promise<void> {
    if (ending) return
    ending = true
    try {
      await close()
      await flushStandardStreams()
    } finally {
      process.exit(exitCode)
    }
  }

  for (const signal of FOR_THE_PRIMARY) process.on(signal, () => {})
  process.on('SIGTERM', leave)
  process.on('message', (message: ToWorker) => {
    if (message.type === 'drain') end()
  })
  cluster.worker?.once('disconnect', () => {
    // Else node:cluster exits right after this, and cuts off what is in flight.
    if (cluster.worker !== undefined) cluster.worker.exitedAfterDisconnect = true
    end()
  })
  process.on('uncaughtException', (error) => {
    standardError().write(`${inspect(error)}\n`)
    if (ending || exitCode !== 0) process.exit(1)
    exitCode = 1
    leave()
  })
  return {
    after: (newClose) => {
      close = newClose
    },
  }
}

/** The primary reports an expected failure, once for all workers; the rest is a crash. */
async function report(error: unknown): Promise<never> {
  const expected = expectedFailure(error)
  if (expected === null || !process.connected) standardError().write(`${describeFailure(error).text}\n`)
  else
    await new Promise((resolve) =>
      process.send?.({ type: 'failed', ...expected }, undefined, undefined, resolve),
    )
  process.exit(expected?.exitCode ?? 1)
}
