// Helpers for the HTTP of Node below Koa. An app that answers uploads of its own needs them, too, as apps/server does.
export { http2Stream, isClientGone, isReset, terminate } from './http/connection.ts'
export { formatReprDigest, wantsSha256 } from './http/repr-digest.ts'
export { lingerAfter } from './http/unread-body.ts'
