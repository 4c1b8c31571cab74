import { createHash } from 'node:crypto'
import type { ConnectionOptions } from 'upload-store/s3'
import { runScript, type Script } from '../upload-store/node-script.ts'
