const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB']

/** In the units of `--max-file-size`, e.g. `2.5 GiB`. */
export function humanSize(bytes: number): string {
  // At most three digits in front of the unit.
  const steps = UNITS.findIndex((_, step) => bytes < 999.5 * 1024 ** step)
  const step = steps === -1 ? UNITS.length - 1 : steps
  const value = bytes / 1024 ** step
  return `${Number(value.toFixed(value < 99.95 ? 1 : 0))} ${UNITS[step]}`
}
