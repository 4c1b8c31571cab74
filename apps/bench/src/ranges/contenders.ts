import { type Expect, expectByte, expectRange } from './answer.ts'

export interface Contender {
  readonly name: string
  /** The module to fork. */
  readonly server: URL
  readonly expect: Expect
}

export const OURS: Contender = {
  name: 'koa + koa-static + koa-range-stream (+ koa-conditional-get)',
  server: new URL('../servers/koa-range-stream.js', import.meta.url),
  expect: expectRange,
}

export const CONTENDERS: readonly Contender[] = [
  OURS,
  { name: 'sirv 3', server: new URL('../servers/sirv.js', import.meta.url), expect: expectRange },
  {
    name: 'koa + koa-static + koa-range 0.3',
    server: new URL('../servers/koa-range.js', import.meta.url),
    expect: expectRange,
  },
  // A ceiling of host and client together: here the client's processor is the first to be used up.
  {
    name: 'bare koa, one byte (ceiling)',
    server: new URL('../servers/bare-koa.js', import.meta.url),
    expect: expectByte,
  },
]
