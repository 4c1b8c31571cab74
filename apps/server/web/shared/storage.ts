/** A browser that may keep nothing throws where it is only asked. */
export function readItem(storage: 'localStorage' | 'sessionStorage', name: string): string | null {
  try {
    return window[storage].getItem(name)
  } catch {
    return null
  }
}

/** @param value `null`: forget it */
export function writeItem(
  storage: 'localStorage' | 'sessionStorage',
  name: string,
  value: string | null,
): void {
  try {
    if (value === null) window[storage].removeItem(name)
    else window[storage].setItem(name, value)
  } catch {
    // Nothing is lost but comfort.
  }
}
