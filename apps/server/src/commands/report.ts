import { isatty } from 'node:tty'
import type { Spinner } from 'yocto-spinner'
import { standardError, standardOutput } from '../observe/standard-streams.ts'

/** How often the line of progress changes, in ms. */
const INTERVAL = 200

/** What a command prints: results on standard output, progress and faults on standard error. */
export interface Report {
  /** A result: as JSON with `--json`, or else its text. */
  result(fields: Readonly<Record<string, unknown>>, text: string): void
  /** Something that the operator has to look at. */
  fault(fields: Readonly<Record<string, unknown>>, text: string): void
  /** Replaces the line of progress, if standard error is a terminal. */
  progress(text: () => string): void
  /** Removes the line of progress. */
  done(): void
}

export async function openReport(json: boolean): Promise<Report> {
  const spinner = isatty(2) ? await createSpinner() : null
  let shownAt = 0
  return {
    result: (fields, text) => standardOutput().write(json ? `${JSON.stringify(fields)}\n` : `${text}\n`),
    fault: (fields, text) => {
      if (json) standardOutput().write(`${JSON.stringify(fields)}\n`)
      else if (spinner?.isSpinning) interrupt(spinner, text)
      else standardError().write(`${text}\n`)
    },
    progress: (text) => {
      if (spinner === null || performance.now() - shownAt < INTERVAL) return
      shownAt = performance.now()
      spinner.text = text()
      if (!spinner.isSpinning) spinner.start()
    },
    done: () => void spinner?.stop(),
  }
}

async function createSpinner(): Promise<Spinner> {
  const { default: yoctoSpinner } = await import('yocto-spinner')
  return yoctoSpinner()
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
