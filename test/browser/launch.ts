import type { Browser, BrowserType } from 'playwright-core'

/** Debian's Chromium, kept from looking for hosts that are not this machine. */
export function launch(chromium: BrowserType): Promise<Browser> {
  return chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--autoplay-policy=no-user-gesture-required',
    ],
  })
}
