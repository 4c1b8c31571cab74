import { type Case, cases } from '../case.ts'

/** RFC 9110 §8.8.1 and what follows from it when a file changes between or during requests. */
export const changes: readonly Case[] = cases(
  {
    id: 'replaced-tag',
    level: 'must',
    section: '8.8.1',
    title: 'has another strong tag for other content of the same length',
    steps: [
      { file: 'changing-2.txt', expect: 'whole', save: 'old' },
      { change: { file: 'changing-2.txt', become: 'replaced' } },
      { file: 'changing-2.txt', expect: 'whole', save: 'new' },
      { differ: ['old', 'new'], by: 'strong etag' },
    ],
  },
  {
    id: 'same-second-tag',
    level: 'must',
    section: '8.8.1',
    title: 'has another strong tag for two contents of one second',
    only: 'files',
    steps: [
      { change: { file: 'changing-3.txt', become: 'overwritten', modified: 50 } },
      { file: 'changing-3.txt', expect: 'whole', save: 'old' },
      { change: { file: 'changing-3.txt', become: 'overwritten', size: 2000, modified: 50 } },
      { file: 'changing-3.txt', expect: 'whole', save: 'new' },
      { differ: ['old', 'new'], by: 'strong etag' },
    ],
  },
  {
    id: 'same-time-tag',
    level: 'must',
    section: '8.8.3',
    title: 'has another strong tag, or a weak one, where length and modification time stay the same',
    only: 'files',
    steps: [
      { file: 'changing-4.txt', expect: 'whole', save: 'old' },
      { change: { file: 'changing-4.txt', become: 'overwritten', modified: 'kept' } },
      { file: 'changing-4.txt', expect: 'whole', save: 'new' },
      { differ: ['old', 'new'], by: 'strong etag' },
    ],
  },
  {
    id: 'replaced-if-range',
    level: 'must',
    section: '13.1.5',
    title: 'sends all of the new content when If-Range has the old tag',
    steps: [
      { file: 'changing-5.txt', expect: 'whole', save: 'old' },
      { change: { file: 'changing-5.txt', become: 'replaced' } },
      {
        file: 'changing-5.txt',
        headers: ['Range: bytes=1000-', 'If-Range: {old.strong}'],
        expect: 'whole',
      },
    ],
  },
  {
    id: 'replaced-if-range-date',
    level: 'must',
    section: '13.1.5',
    title: 'sends all of the new content when If-Range has the old date',
    only: 'files',
    steps: [
      { file: 'changing-6.txt', expect: 'whole', save: 'old' },
      { change: { file: 'changing-6.txt', become: 'overwritten', modified: 3000 } },
      {
        file: 'changing-6.txt',
        headers: ['Range: bytes=1000-', 'If-Range: {old.date}'],
        expect: 'whole',
      },
    ],
  },
  {
    id: 'replaced-conditions',
    level: 'must',
    section: '13.1.2',
    title: 'sends the new content to a cache, and 412 to a client that wants the old',
    steps: [
      { file: 'changing-7.txt', expect: 'whole', save: 'old' },
      { change: { file: 'changing-7.txt', become: 'replaced' } },
      { file: 'changing-7.txt', headers: ['If-None-Match: {old.etag}'], expect: 'whole' },
      { file: 'changing-7.txt', headers: ['If-Match: {old.strong}'], expect: 412 },
    ],
  },
  {
    id: 'grown',
    level: 'should',
    section: '14.1.2',
    title: 'sends what a file has grown by',
    only: 'files',
    steps: [
      { file: 'changing-8.txt', expect: 'whole' },
      { change: { file: 'changing-8.txt', become: 'longer', size: 2500, modified: 3000 } },
      { file: 'changing-8.txt', headers: ['Range: bytes=1990-2099'], expect: 'part 1990-2099' },
    ],
  },
  {
    id: 'shrunk',
    level: 'should',
    section: '14.4',
    title: 'says in a 416 how long a file is now',
    only: 'files',
    steps: [
      { file: 'changing-9.txt', expect: 'whole' },
      { change: { file: 'changing-9.txt', become: 'shorter', size: 700, modified: 3000 } },
      { file: 'changing-9.txt', headers: ['Range: bytes=700-'], expect: 'unsatisfied' },
      { file: 'changing-9.txt', headers: ['Range: bytes=600-'], expect: 'part 600-699' },
    ],
  },
  {
    id: 'emptied',
    level: 'must',
    section: '14.2',
    title: 'has no 206 for a file that has been emptied',
    only: 'files',
    steps: [
      { file: 'changing-10.txt', expect: 'whole' },
      { change: { file: 'changing-10.txt', become: 'shorter', size: 0, modified: 3000 } },
      { file: 'changing-10.txt', headers: ['Range: bytes=0-'], expect: ['whole', 416] },
    ],
  },
  {
    id: 'deleted',
    level: 'must',
    section: '13.2.1',
    title: 'says 404 for a file that is gone, whatever the conditions and the Range',
    only: 'files',
    steps: [
      { file: 'changing-11.txt', expect: 'whole', save: 'old' },
      { change: { file: 'changing-11.txt', become: 'gone' } },
      {
        file: 'changing-11.txt',
        headers: ['If-None-Match: *', 'If-Modified-Since: {old.date}'],
        expect: 404,
      },
      { file: 'changing-11.txt', headers: ['Range: bytes=0-9', 'If-Range: {old.date}'], expect: 404 },
    ],
  },
  {
    id: 'replaced-midway',
    level: 'must',
    section: '15.3.7.1',
    title: 'sends one version to the end when a file is replaced midway',
    only: 'files',
    steps: [
      {
        during: { file: 'draining-1.bin', expect: 'whole' },
        change: { file: 'draining-1.bin', become: 'replaced', size: 1000 },
      },
    ],
  },
  {
    id: 'deleted-midway',
    level: 'quality',
    section: '15.3.7.1',
    title: 'sends a range to the end when the file is deleted midway',
    only: 'files',
    steps: [
      {
        during: {
          file: 'draining-2.bin',
          headers: ['Range: bytes=5-'],
          expect: ['part 5-67108863', 'whole'],
        },
        change: { file: 'draining-2.bin', become: 'gone' },
      },
    ],
  },
  {
    id: 'grown-midway',
    level: 'must',
    section: 'RFC 9112 §6.3',
    title: 'never sends more than it announced when a file grows midway',
    only: 'files',
    steps: [
      {
        during: { file: 'draining-3.bin', expect: 'whole' },
        change: { file: 'draining-3.bin', become: 'longer', size: 67_109_864 },
      },
    ],
  },
  {
    id: 'shrunk-midway',
    level: 'must',
    section: 'RFC 9112 §8',
    title: 'ends the connection when a file shrinks midway, so that no client waits for the rest',
    only: 'files',
    steps: [
      {
        during: { file: 'draining-4.bin', expect: 'whole', demands: { mostMilliseconds: 5000 } },
        change: { file: 'draining-4.bin', become: 'shorter', size: 33_554_432 },
        mayEndShort: true,
      },
    ],
  },
)
