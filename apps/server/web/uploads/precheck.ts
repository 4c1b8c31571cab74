import { humanSize } from '../../src/shared/human-size.ts'
import type { Problem } from '../shared/problem.ts'

export interface Limits {
  /** In bytes. */
  readonly maxFileSize: number
  /** As in the accept attribute; empty: everything. */
  readonly accept: string
}

/** Returns the problem for which the server would refuse a file, as far as it is known before the upload; otherwise `null`. */
export function precheck({ size, type }: Pick<File, 'size' | 'type'>, limits: Limits): Problem | null {
  const { maxFileSize, accept } = limits
  if (size > maxFileSize) {
    const detail = `The file is ${humanSize(size)}; the limit is ${humanSize(maxFileSize)}. Choose a smaller file.`
    return { title: 'The file is too large', detail }
  }
  if (isVague(type) || accept === '' || accept.split(',').some((pattern) => matches(type, pattern)))
    return null
  return {
    title: 'This type is not accepted',
    detail: `The file is ${type}; this server accepts ${accept.replaceAll(',', ', ')}.`,
  }
}

/** A browser knows the name of a file only; where that may mean anything, the server looks at what is in it. */
const isVague = (type: string): boolean => type === '' || type.startsWith('application/')

const matches = (type: string, pattern: string): boolean =>
  pattern.endsWith('/*') ? type.startsWith(pattern.slice(0, -1)) : type === pattern
