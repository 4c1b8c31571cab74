import { type Browser, chromium } from 'playwright-core'

const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--autoplay-policy=no-user-gesture-required',
]

let launched: Promise<Browser> | undefined

/**
 * Debian's Chromium, kept from looking for hosts that are not this machine. It is launched once for all the files of a worker
 * and ends with it: close the contexts that you open, not the browser.
 */
export async function sharedBrowser(): Promise<Browser> {
  if (!(await launched?.catch(() => null))?.isConnected()) launched = undefined
  launched ??= chromium.launch({ executablePath: '/usr/bin/chromium', args: ARGUMENTS })
  return launched
}
