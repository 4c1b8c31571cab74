import type { Case } from '../case.ts'
import { changes } from './changes.ts'
import { connections } from './connections.ts'
import { ifMatch } from './if-match.ts'
import { ifModifiedSince } from './if-modified-since.ts'
import { ifNoneMatch } from './if-none-match.ts'
import { ifRange } from './if-range.ts'
import { ifUnmodifiedSince } from './if-unmodified-since.ts'
import { largeFiles } from './large-files.ts'
import { methods } from './methods.ts'
import { multipart } from './multipart.ts'
import { notModified } from './not-modified.ts'
import { partialContent } from './partial-content.ts'
import { paths } from './paths.ts'
import { precedence } from './precedence.ts'
import { rangeSyntax } from './range-syntax.ts'
import { singleRange } from './single-range.ts'
import { unsatisfiable } from './unsatisfiable.ts'
import { validators } from './validators.ts'
import { waste } from './waste.ts'

const THEMES: Readonly<Record<string, readonly Case[]>> = {
  validators,
  'If-Match': ifMatch,
  'If-None-Match': ifNoneMatch,
  'If-Modified-Since': ifModifiedSince,
  'If-Unmodified-Since': ifUnmodifiedSince,
  'If-Range': ifRange,
  precedence,
  methods,
  'single range': singleRange,
  'range syntax': rangeSyntax,
  unsatisfiable,
  multipart,
  'partial content': partialContent,
  'not modified': notModified,
  'large files': largeFiles,
  changes,
  connections,
  waste,
  paths,
}

export interface ThemedCase extends Case {
  readonly theme: string
}

/** Every case, in the order in which it runs. */
export const CASES: readonly ThemedCase[] = Object.entries(THEMES).flatMap(([theme, cases]) =>
  cases.map((one) => ({ ...one, theme })),
)
