import { expect } from 'vitest'
import type { Request } from '../exchange.ts'
import { content } from '../requests.ts'
import { type Context, ours, type Theme } from '../suite.ts'
import { createUpload, creation, head, named, options, patch, TUS } from '../tus-requests.ts'

/** A request that the tests of tus-node-server 2 make, and the status that they expect. */
interface PeerCase {
  readonly title: string
  readonly request: (the: Context) => Request | Promise<Request>
  readonly status: number
  /** Our status if it is another one, and why. */
  readonly differs?: readonly [status: number, reason: string]
  readonly fields?: Readonly<Record<string, unknown>>
}

const UNKNOWN = '/tus/dont_exist'

/** A request to create an upload, which has these fields and no others. */
const post = (fields: Record<string, string>) => (the: Context) => creation({ ...named(the.key), ...fields })

/** A request to create an upload of 10 bytes with this field. */
const postWith = (name: string) => (value: string) => ({
  title: `POST with ${name} ${JSON.stringify(value)}`,
  request: post({ 'Upload-Length': '10', [name]: value }),
})

const INVALID_LENGTHS = [
  '-3',
  '-1',
  'hello',
  '0100',
  '0asd100',
  '1asd100',
  '1.3',
  '-0',
  '+0',
  'NaN',
  '+Infinity',
]
const INVALID_DEFERRALS = ['0', '1234', '-1', '+1', 'hello']
const METADATA = 'file/name dGVzdC5tcDQ=,size OTYwMjQ0,type! dmlkZW8vbXA0,video,withWhitespace'

/** A PATCH of a new upload of 10 bytes, with these fields in place of its own; `null` leaves one out. */
const patchWith = (fields: Record<string, string | null>, length: number | null = 10) => {
  return async (the: Context) => {
    const request = patch(await createUpload(the, length), 0, content(10))
    const all = Object.entries({ ...request.fields, ...fields }).filter(([, value]) => value !== null)
    return { ...request, fields: Object.fromEntries(all) as Record<string, string> }
  }
}

const CASES: readonly PeerCase[] = [
  { title: 'HEAD of an unknown upload', request: () => head(UNKNOWN), status: 404 },
  { title: 'HEAD of no upload', request: () => head('/tus/'), status: 404 },
  { title: 'POST with Upload-Defer-Length: 1', request: post({ 'Upload-Defer-Length': '1' }), status: 201 },
  {
    title: 'POST of a whole file',
    request: (the) => creation({ 'Upload-Length': '10', ...named(the.key) }, content(10)),
    status: 201,
    fields: { 'upload-offset': '10' },
  },
  {
    title: 'HEAD of a new upload',
    request: async (the) => head(await createUpload(the, 10)),
    status: 200,
    fields: { 'upload-offset': '0', 'upload-length': '10', 'cache-control': 'no-store' },
  },
  {
    title: 'HEAD of a new upload of unknown length',
    request: async (the) => head(await createUpload(the, null)),
    status: 200,
    fields: { 'upload-offset': '0', 'upload-defer-length': '1' },
  },
  { title: 'PATCH of no upload', request: () => patch('/tus/', 0, content(10)), status: 404 },
  { title: 'PATCH of an unknown upload', request: () => patch(UNKNOWN, 0, content(10)), status: 404 },
  { title: 'PATCH of a whole file', request: patchWith({}), status: 204, fields: { 'upload-offset': '10' } },
  {
    title: 'PATCH without Content-Type',
    request: patchWith({ 'Content-Type': null }),
    status: 403,
    differs: [415, 'the protocol asks for 415 where the media type is not that of tus'],
  },
  {
    title: 'PATCH without Upload-Offset',
    request: patchWith({ 'Upload-Offset': null }),
    status: 403,
    differs: [400, 'the request is malformed; 403 tells clients that they lack a right'],
  },
  { title: 'PATCH with another Upload-Offset', request: patchWith({ 'Upload-Offset': '5' }), status: 409 },
  {
    title: 'PATCH with Upload-Length, of an upload of unknown length',
    request: patchWith({ 'Upload-Length': '10' }, null),
    status: 204,
  },
  {
    title: 'PATCH with an Upload-Length that is already known',
    request: patchWith({ 'Upload-Length': '10' }),
    status: 400,
    differs: [204, 'a client may repeat a length that it has given; another length is refused'],
  },
  {
    title: 'PATCH with an Upload-Length above the limit',
    request: patchWith({ 'Upload-Length': '100001' }, null),
    status: 413,
  },
  {
    title: 'DELETE of a finished upload',
    request: async (the) => {
      const { path, ...request } = await patchWith({})(the)
      await the.send({ path, ...request })
      return { method: 'DELETE', path, fields: TUS }
    },
    status: 204,
  },
  {
    title: 'DELETE of an unfinished upload',
    request: async (the) => ({ method: 'DELETE', path: await createUpload(the, 10), fields: TUS }),
    status: 204,
  },
  {
    title: 'DELETE of an unknown upload',
    request: () => ({ method: 'DELETE', path: UNKNOWN, fields: TUS }),
    status: 404,
  },
  { title: 'POST without Tus-Resumable', request: () => ({ method: 'POST', path: '/tus' }), status: 412 },
  { title: 'POST with Tus-Resumable 0.0.0', request: post({ 'Tus-Resumable': '0.0.0' }), status: 412 },
  { title: 'OPTIONS', request: () => options(), status: 204, fields: { 'tus-resumable': '1.0.0' } },
  { title: 'POST without Upload-Length', request: post({}), status: 400 },
  {
    title: 'POST with Upload-Length and Upload-Defer-Length',
    request: post({ 'Upload-Length': '512', 'Upload-Defer-Length': '1' }),
    status: 400,
  },
  ...INVALID_LENGTHS.map((value) => ({ ...postWith('Upload-Length')(value), status: 400 })),
  ...INVALID_DEFERRALS.map((value) => ({
    title: `POST with Upload-Defer-Length ${value}`,
    request: post({ 'Upload-Defer-Length': value }),
    status: 400,
  })),
  ...[METADATA, 'is_confidential'].map((value) => ({ ...postWith('Upload-Metadata')(value), status: 201 })),
  { ...postWith('Upload-Metadata')('too-many   spaces'), status: 400 },
  ...['Upload-Metadata', 'Upload-Concat'].map((name) => ({
    ...postWith(name)(''),
    status: 400,
    differs: [201, 'an empty field is the same as no field'] as const,
  })),
  { ...postWith('Upload-Concat')('partial'), status: 201 },
  ...['PARTIAL', 'invalid-value'].map((value) => ({ ...postWith('Upload-Concat')(value), status: 400 })),
  {
    ...postWith('Content-Type')('application/false'),
    title: 'POST without content and with a Content-Type',
    status: 201,
  },
]

/** Their tests of CORS, of events and of options of their own are not about requests that every server gets. */
export const TUS_NODE_SERVER: Theme = {
  name: 'tus 1.0, requests in the tests of tus-node-server',
  options: { maxSize: 100_000 },
  cases: CASES.map(({ title, request, status, differs, fields = {} }) => {
    const [expected, reason] = differs ?? [status, null]
    const note = reason === null ? '' : `, not ${status}: ${reason}`
    return ours('tus-node-server', `answers ${title} with ${expected}${note}`, async (the) => {
      expect(await the.send(await request(the))).toMatchObject({ status: expected, fields })
    })
  }),
}
