import { humanSize } from '../../src/shared/human-size.ts'
import { announce, fromTemplate, get, maybe } from '../shared/dom.ts'
import { fillAlert } from '../shared/notice.ts'
import { LOST } from '../shared/problem.ts'
import { percent } from './job-state.ts'
import { removeRow } from './job-view.ts'
import { afterOthers, ELSEWHERE, withTabLock } from './tab-lock.ts'
import {
  deleteUpload,
  fetchOffset,
  fileFingerprint,
  removeRecord,
  type UploadRecord,
  uploadRecords,
} from './tus-client.ts'

interface Queue {
  take(files: Iterable<File>): void
  has(fingerprint: string): boolean
}

const rows = new Map<string, HTMLElement>()

/** Shows what earlier visits have left unfinished, and what other tabs leave so. */
export async function listUnfinished(queue: Queue): Promise<void> {
  for (const record of await uploadRecords()) {
    // A HEAD would end the request that another tab sends the file with.
    void afterOthers(record.fingerprint, () => check(record, queue))
  }
}

/** Takes a row out of account and returns it, for another to take its place. */
export function removeUnfinished(fingerprint: string): HTMLElement | null {
  const row = rows.get(fingerprint) ?? null
  rows.delete(fingerprint)
  return row
}

async function check(record: UploadRecord, queue: Queue): Promise<void> {
  const { fingerprint, key } = record
  const isKept = (await uploadRecords()).some((each) => each.key === key)
  if (!isKept || queue.has(fingerprint) || rows.has(fingerprint)) return
  const offset = await fetchOffset(record)
  if (offset === 'gone') await removeRecord(record.url)
  else if (offset !== null && !queue.has(fingerprint)) show(record, offset, queue)
}

function show(record: UploadRecord, offset: number, queue: Queue): void {
  const { fingerprint, name, size } = record
  const row = fromTemplate('#unfinished')
  const share = size === 0 ? 0 : offset / size
  get('.name', row).textContent = name
  get('.state', row).textContent = `${percent(share)} is on the server. Choose the same file again to resume.`
  const bar = get<HTMLProgressElement>('progress', row)
  bar.ariaLabel = `Upload of ${name}`
  bar.value = share
  const [choose, discard, input] = [
    get('.choose', row),
    get('.cancel', row),
    get<HTMLInputElement>('input', row),
  ]
  choose.ariaLabel = `Choose file ${name}`
  discard.ariaLabel = `Discard ${name}`
  choose.addEventListener('click', () => input.click())
  input.addEventListener('change', () => takeSame(record, row, input, queue))
  discard.addEventListener('click', () => void remove(record, row))
  rows.set(fingerprint, row)
  maybe('#queue')?.append(row)
}

function takeSame(record: UploadRecord, row: HTMLElement, input: HTMLInputElement, queue: Queue): void {
  const [file] = input.files ?? []
  input.value = ''
  if (file === undefined) return
  if (fileFingerprint(file) === record.fingerprint) {
    queue.take([file])
    return
  }
  const detail = `${record.name} had ${humanSize(record.size)} and must not have been changed since. Drop a new file on the page instead.`
  fillAlert(get('.error', row), { title: 'That is not the same file', detail })
}

async function remove({ fingerprint, url, name }: UploadRecord, row: HTMLElement): Promise<void> {
  const isDeleted = await withTabLock(fingerprint, () => deleteUpload(url))
  if (isDeleted !== true) {
    fillAlert(get('.error', row), isDeleted === null ? ELSEWHERE : LOST)
    return
  }
  await removeRecord(url)
  rows.delete(fingerprint)
  removeRow(row)
  announce(`${name} discarded`)
}
