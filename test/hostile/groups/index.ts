import type { Group, HostileCase } from '../case.ts'
import { BOUNDARY, DELIMITERS } from './boundaries.ts'
import { CROWDS, DEAF, IN_PIECES, PIPELINED } from './clients.ts'
import { CODINGS, EXPECTATIONS, SMUGGLED } from './codings.ts'
import { ANY_CONTENT, MEDIA_ONLY } from './content.ts'
import { FIELDS } from './fields.ts'
import { KEYS } from './keys.ts'
import { IMPATIENT, LEAVING } from './leaving.ts'
import { CHUNKS, CONTENT_LENGTH } from './lengths.ts'
import { FILE_NAMES } from './names.ts'
import { PARAMETERS, PART_HEADERS } from './part-headers.ts'
import { METHODS, SYNTAX, TARGETS } from './requests.ts'
import { CONDITIONS, DIGESTS, ORIGINS, PAGES, QUERIES, TYPES } from './routes.ts'
import { TUS } from './tus.ts'

/** Against a server that takes anything, so that nothing is refused for its type alone. */
function group(name: string, ...themes: readonly (readonly HostileCase[])[]): Group {
  return { name, flags: ['--accept', '*/*'], cases: themes.flat() }
}

function uploads(name: string, ...themes: readonly (readonly HostileCase[])[]): Group {
  return { ...group(name, ...themes), isOfUploads: true }
}

/** All that is thrown at the server. */
export const GROUPS: readonly Group[] = [
  uploads('multipart framing', BOUNDARY, DELIMITERS, PART_HEADERS, PARAMETERS),
  uploads('fields and parts', FIELDS),
  uploads('file names', FILE_NAMES),
  group('keys in URLs', KEYS),
  group('lying lengths', CONTENT_LENGTH, CHUNKS, CODINGS, EXPECTATIONS, SMUGGLED),
  group('broken clients', LEAVING, IMPATIENT, DEAF, PIPELINED, IN_PIECES, CROWDS),
  { name: 'content, media only', flags: [], cases: MEDIA_ONLY },
  group('content of any type', ANY_CONTENT),
  group('requests and routes', SYNTAX, TARGETS, METHODS, TYPES, ORIGINS, DIGESTS, CONDITIONS, QUERIES, PAGES),
  uploads('tus', TUS),
]
