export const maybe = <E extends HTMLElement = HTMLElement>(
  selector: string,
  root: ParentNode = document,
): E | null => root.querySelector<E>(selector)

export function get<E extends HTMLElement = HTMLElement>(selector: string, root?: ParentNode): E {
  const found = maybe<E>(selector, root)
  if (found === null) throw new Error(`The page has no ${selector}`)
  return found
}

/** Copies an element that the server has rendered, so that only the server has markup. */
export function fromTemplate(selector: string): HTMLElement {
  const copy = get<HTMLTemplateElement>(selector).content.firstElementChild?.cloneNode(true)
  if (!(copy instanceof HTMLElement)) throw new Error(`The page has an empty ${selector}`)
  return copy
}

export function setIcon(root: ParentNode, name: string): void {
  root.querySelector('use')?.setAttribute('href', `#icon-${name}`)
}

export function announce(text: string): void {
  get('#status').textContent = text
}
