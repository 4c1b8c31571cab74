export type { ByteStream, Content } from './content.ts'
export { type FileContentOptions, fileContent } from './file-content.ts'
export { rangeStream } from './range-stream.ts'
export { type RangeStreamOptions, type ServeContentOptions, serveContent } from './serve-content.ts'
