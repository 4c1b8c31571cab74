// @koa/multer ships no types, and those of others lack the character set, the nesting limits and a missing file.
declare module '@koa/multer' {
  import type Koa from 'koa'
  import type { MulterStorageEngine } from 'upload-store'

  export interface MulterOptions {
    readonly storage: MulterStorageEngine
    readonly defParamCharset: 'utf8' | 'latin1'
    /** Counts and bytes; see multer's README. */
    readonly limits: Readonly<
      Record<
        | 'fileSize'
        | 'files'
        | 'fields'
        | 'parts'
        | 'fieldSize'
        | 'fieldNameSize'
        | 'headerPairs'
        | 'fieldNestingDepth'
        | 'fieldArrayIndexLimit',
        number
      >
    >
  }

  export default function createMulter(options: MulterOptions): { single(field: string): Koa.Middleware }
}
