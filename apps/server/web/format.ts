const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB']

/** The same as the server's, which this file cannot import: it is compiled for another place. */
export function humanSize(bytes: number): string {
  const steps = UNITS.findIndex((_, step) => bytes < 999.5 * 1024 ** step)
  const step = steps === -1 ? UNITS.length - 1 : steps
  const value = bytes / 1024 ** step
  return `${Number(value.toFixed(value < 99.95 ? 1 : 0))} ${UNITS[step]}`
}

export function humanTime(seconds: number): string {
  if (seconds < 60) return `${Math.max(1, Math.ceil(seconds))} s`
  const minutes = Math.ceil(seconds / 60)
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** As a clock has it: 1:02:03. */
export function clock(seconds: number): string {
  const [hours, minutes, rest] = [seconds / 3600, (seconds / 60) % 60, seconds % 60].map(Math.floor)
  const pair = (value = 0): string => String(value).padStart(2, '0')
  return hours === 0 ? `${minutes}:${pair(rest)}` : `${hours}:${pair(minutes)}:${pair(rest)}`
}
