import { isatty } from 'node:tty'
import type { Spinner } from 'yocto-spinner'
import { standardError, standardOutput } from '../observe/standard-streams.ts'

/** How often the line of progress changes on a terminal, in ms, and how often a log gets such a line. */
const INTERVAL = 200
const LOG_INTERVAL = 30_000

/** What a command prints: results on standard output, progress and faults on standard error. */
export interface Report {
  /** A result: as JSON with `--json`, or else its text. */
  result(fields: Readonly<Record<string, unknown>>, text: string): void
  /** Something that the operator has to look at. */
  fault(fields: Readonly<Record<string, unknown>>, text: string): void
  /** Replaces the line of progress on a terminal. Other standard errors get a line after every 30 seconds. */
  progress(text: () => string): void
  /** Removes the line of progress. */
  done(): void
}

export async function openReport(json: boolean): Promise<Report> {
  const spinner = isatty(2) ? await createSpinner() : null
  const interval = spinner === null ? LOG_INTERVAL : INTERVAL
  let shownAt = performance.now()
  return {
    result: (fields, text) => standardOutput().write(json ? `${JSON.stringify(fields)}\n` : `${text}\n`),
    fault: (fields, text) => {
      if (json) standardOutput().write(`${JSON.stringify(fields)}\n`)
      else if (spinner?.isSpinning) interrupt(spinner, text)
      else standardError().write(`${text}\n`)
    },
    progress: (text) => {
      if (performance.now() - shownAt < interval) return
      shownAt = performance.now()
      if (spinner === null) standardError().write(`${text()}\n`)
      else show(spinner, text())
    },
    done: () => void spinner?.stop(),
  }
}

async function createSpinner(): Promise<Spinner> {
  const { default: yoctoSpinner } = await import('yocto-spinner')
  return yoctoSpinner()
}

function show(spinner: Spinner, text: string): void {
  spinner.text = text
  if (!spinner.isSpinning) spinner.start()
}

function interrupt(spinner: Spinner, text: string): void {
  spinner.stop()
  standardError().write(`${text}\n`)
  spinner.start()
}

/** The end of a summary: what to do if the command was stopped. */
export function stoppedText({ aborted }: AbortSignal): string {
  return aborted ? '; stopped: run the command again to continue' : ''
}
