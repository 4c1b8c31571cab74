import { get } from '../shared/dom.ts'
import { mediaElement } from './media.ts'

/** The menu and the media tell each other: keys change it, too. */
export function enableSpeed(): void {
  const menu = get<HTMLSelectElement>('#speed')
  menu.addEventListener('change', () => {
    const media = mediaElement()
    if (media !== null) media.playbackRate = Number(menu.value)
  })
  for (const event of ['ratechange', 'loadstart'])
    get('#controller').addEventListener(
      event,
      () => {
        menu.value = String(mediaElement()?.playbackRate ?? 1)
      },
      // They don't bubble.
      { capture: true },
    )
}
