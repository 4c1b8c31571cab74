export type { ByteStream, Content, WebByteStream } from './content.ts'
export { type FileContent, type FileContentOptions, fileContent } from './file-content.ts'
export { rangeStream } from './range-stream.ts'
export { type RangeStreamOptions, type ServeContentOptions, serveContent } from './serve-content.ts'
