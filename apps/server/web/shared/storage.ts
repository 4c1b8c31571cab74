/** Returns a stored item; a browser that may not store anything throws on access. */
export function readItem(storage: 'localStorage' | 'sessionStorage', name: string): string | null {
  try {
    return window[storage].getItem(name)
  } catch {
    return null
  }
}

/** @param value `null`: remove the item */
export function writeItem(
  storage: 'localStorage' | 'sessionStorage',
  name: string,
  value: string | null,
): void {
  try {
    if (value === null) window[storage].removeItem(name)
    else window[storage].setItem(name, value)
  } catch {
    // The page works without the item.
  }
}
