export type { ByteStream, Content, ContentStream, WebByteStream } from './content.ts'
export { type FileContent, type FileContentOptions, fileContent } from './file/file-content.ts'
export { type RangeStreamOptions, rangeStream } from './range-stream.ts'
export { type ServeContentOptions, serveContent } from './serve-content.ts'
