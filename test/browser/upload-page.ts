import type { Browser, CDPSession, Locator, Page } from 'playwright-core'
import { onTestFinished } from 'vitest'

export const MIB: number = 1024 ** 2

/** The page in a browser that has never been there, and what a person and a network do to it. */
export class UploadPage {
  readonly page: Page
  /** The URL of each upload that was begun, by its number. */
  readonly uploads: string[] = []
  readonly #cdp: CDPSession
  #throughput = -1

  private constructor(page: Page, cdp: CDPSession) {
    this.page = page
    this.#cdp = cdp
    page.on('response', (response) => {
      const { location } = response.headers()
      const begun = response.request().method() === 'POST' && response.status() === 201
      if (begun && location !== undefined) this.uploads.push(new URL(location, response.url()).href)
    })
  }

  static async open(browser: Browser, url: string): Promise<UploadPage> {
    const context = await browser.newContext()
    onTestFinished(() => context.close())
    return UploadPage.tab(await context.newPage(), url)
  }

  /** @param page of a browser that may have been there */
  static async tab(page: Page, url: string): Promise<UploadPage> {
    const opened = new UploadPage(page, await page.context().newCDPSession(page))
    await page.goto(url)
    return opened
  }

  /** @param throughput bytes per second of what is sent; -1: as fast as it goes */
  async throttle(throughput: number): Promise<void> {
    this.#throughput = throughput
    await this.#emulate(false)
  }

  /** What the browser believes, and tells pages of. */
  async setOffline(offline: boolean): Promise<void> {
    await this.#emulate(offline)
  }

  /** Drops files as the operating system does. */
  async drop(...files: string[]): Promise<void> {
    const data = { items: [], files, dragOperationsMask: 1 }
    for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
      await this.#cdp.send('Input.dispatchDragEvent', { type, x: 300, y: 300, data })
  }

  /** The row of one file. */
  row(name: string, state?: string): Locator {
    const rows = this.page.locator(`#queue > li${state === undefined ? '' : `[data-state="${state}"]`}`)
    return rows.filter({ has: this.page.getByText(name, { exact: true }) })
  }

  button(name: string): Locator {
    return this.page.getByRole('button', { name, exact: true })
  }

  share(name: string): Promise<number> {
    return this.row(name)
      .locator('progress')
      .evaluate((bar: HTMLProgressElement) => bar.value)
  }

  /** Waits until so much of it is sent. */
  async reaches(name: string, share: number): Promise<void> {
    await this.page.waitForFunction(
      ([label, least]) => {
        const bar = document.querySelector<HTMLProgressElement>(`progress[aria-label="Upload of ${label}"]`)
        return bar !== null && bar.value >= Number(least)
      },
      [name, share] as const,
      { polling: 20 },
    )
  }

  /** Waits until it is in the list of videos, and the queue offers to watch it. */
  async isStored(name: string): Promise<void> {
    await this.row(name, 'stored').waitFor({ timeout: 20_000 })
    await this.page.locator(`#rows [data-key="${name}"]`).waitFor()
  }

  /** How many uploads this browser remembers as unfinished. */
  remembered(): Promise<number> {
    return this.page.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith('tus::')).length)
  }

  async #emulate(offline: boolean): Promise<void> {
    await this.#cdp.send('Network.emulateNetworkConditions', {
      offline,
      latency: 0,
      downloadThroughput: -1,
      uploadThroughput: this.#throughput,
    })
  }
}
