import { get } from '../shared/dom.ts'
import { mediaElement } from './media.ts'

/** Connects the menu and the media in both directions: keys change the speed too. */
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
