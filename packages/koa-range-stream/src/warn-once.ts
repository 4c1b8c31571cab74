const warned = new Set<string>()

/** Reports a mistake in the app by a process warning, once: it would come again with each request. */
export function warnOnce(code: string, message: string): void {
  if (warned.has(code)) return
  warned.add(code)
  process.emitWarning(message, { type: 'KoaRangeStreamWarning', code })
}
