import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const CHROMIUM = '/usr/bin/chromium'
/** Debian's Chromium without its windows, which takes a third of the processor time for each page. */
const SHELL = '/usr/bin/chromium-headless-shell'

const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--autoplay-policy=no-user-gesture-required',
]

const launched = new Map<string, Promise<Browser>>()

/**
 * Debian's Chromium, kept from looking for hosts that are not this machine. It is launched once for all the files of a worker
 * and ends with it: close the contexts that you open, not the browser.
 *
 * @param isWhole the browser that people use, also if the headless shell is installed
 */
export async function sharedBrowser(isWhole = false): Promise<Browser> {
  const executablePath = !isWhole && existsSync(SHELL) ? SHELL : CHROMIUM
  const known = launched.get(executablePath)
  if (known !== undefined && (await known.catch(() => null))?.isConnected()) return known
  const browser = chromium.launch({ executablePath, args: ARGUMENTS })
  launched.set(executablePath, browser)
  return browser
}
