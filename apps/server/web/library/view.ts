import { get } from '../shared/dom.ts'
import { readItem, writeItem } from '../shared/storage.ts'

const STORAGE = 'list'

/** Lets a person choose between the grid of pictures and a dense list; the choice is kept. */
export function enableView(): void {
  const [library, button] = [get('#library'), get('#view')]
  const show = (isList: boolean): void => {
    library.classList.toggle('dense', isList)
    button.ariaPressed = String(isList)
    const label = isList ? 'Show as a grid' : 'Show as a list'
    button.ariaLabel = button.title = label
    button.querySelector('use')?.setAttribute('href', `#icon-${isList ? 'grid' : 'list'}`)
  }
  show(readItem('localStorage', STORAGE) !== null)
  button.addEventListener('click', () => {
    const isList = !library.classList.contains('dense')
    writeItem('localStorage', STORAGE, isList ? 'yes' : null)
    show(isList)
  })
}
