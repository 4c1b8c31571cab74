import type { Theme } from '../suite.ts'
import { APPEND } from './append.ts'
import { CANCELLATION } from './cancellation.ts'
import { COMPLETION } from './completion.ts'
import { CONCURRENCY } from './concurrency.ts'
import { CREATION } from './creation.ts'
import { DIGESTS } from './digests.ts'
import { FIELDS } from './fields.ts'
import { INTERIM } from './interim.ts'
import { LENGTH } from './length.ts'
import { EXPIRY, LIMITED, NO_LIMITS } from './limits.ts'
import { PROCESSES } from './processes.ts'
import { RETRIEVAL } from './retrieval.ts'
import { TUS_CORE } from './tus-core.ts'
import { TUS_CREATION } from './tus-creation.ts'
import { TUS_EXTENSIONS } from './tus-extensions.ts'
import { TUS_NODE_SERVER } from './tus-node-server.ts'
import { VERSIONED } from './versions.ts'

export const THEMES: readonly Theme[] = [
  CREATION,
  RETRIEVAL,
  APPEND,
  LENGTH,
  NO_LIMITS,
  LIMITED,
  EXPIRY,
  CONCURRENCY,
  CANCELLATION,
  COMPLETION,
  DIGESTS,
  INTERIM,
  FIELDS,
  VERSIONED,
  TUS_CORE,
  TUS_CREATION,
  TUS_EXTENSIONS,
  TUS_NODE_SERVER,
  PROCESSES,
]
