/** Says on standard error what is being done, and how many seconds after the start. */
export function progress(text: string): void {
  console.error(`${Math.round(performance.now() / 1000)} s: ${text}`)
}
