import { refresh } from './library.ts'

/** In ms. Where nothing has changed the answer is a 304. */
const EVERY = 10_000

/** Keeps the list what the server has, while somebody looks at it, and as soon as somebody does again. */
export function enableAutoRefresh(): void {
  let asking = false
  const ask = async (): Promise<void> => {
    if (document.hidden || asking) return
    asking = true
    await refresh(true)
    asking = false
  }
  setInterval(() => void ask(), EVERY)
  for (const event of ['focus', 'online']) addEventListener(event, () => void ask())
  // Gone back to; what the server has just sent needs no asking.
  addEventListener('pageshow', ({ persisted }) => void (persisted && ask()))
  document.addEventListener('visibilitychange', () => void ask())
}
