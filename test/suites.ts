/** What `npm run test:slow` runs and `npm test` does not, with what takes its time. The table of CONTRIBUTING.md is the same. */
export const SLOW: Readonly<Record<string, string>> = {
  'test/browser/tus-js-client.test.ts': 'interrupted uploads in Chromium',
  'test/browser/upload-goes-on.test.ts': 'uploads of up to 200 MiB at the speed of a slow line',
  'test/clients/chromium.test.ts': 'films that Chromium plays in real time',
  'test/clients/players.test.ts': 'films that mpv, VLC and FFmpeg play in real time',
  'test/clients/tus-js-client.test.ts': 'uploads of a client whose server is killed',
  'test/faults/faults.test.ts': 'kills, power cuts and errors at calls of the store, a process each',
  'test/hostile/detect-type.test.ts': '20,000 files with random heads',
  'test/hostile/hostile.test.ts': '200 attacks, and the latency that they cause',
  'test/pack/image.test.ts': 'an installation and a build from scratch',
  'test/resumable/processes.test.ts': 'servers that are killed while uploads are under way',
  'test/s3/failures.test.ts': 'a gateway that is killed or frozen until time limits pass',
  'test/s3/outages.test.ts': 'outages that last until time limits pass',
  'test/server/body-rate-default.test.ts': 'the default limits on slow clients, which are half a minute',
  'test/server/workers.test.ts': 'workers that are killed and restarted after growing delays',
  'test/soak/soak.test.ts': 'some seconds of load',
  'test/upload-store/fs-processes.test.ts': 'processes that are killed while they write',
}

/** What `npm run test:slow` runs a second time, with `--sendfile off`: uploads, which it does not change, run once. */
export const WITHOUT_SENDFILE: readonly string[] = [
  'test/clients/chromium.test.ts',
  'test/clients/downloads.test.ts',
  'test/clients/players.test.ts',
  'test/conformance/conformance.test.ts',
  'test/hostile/hostile.test.ts',
]

/** The files that run a second time, with their objects in Ceph: those whose behaviour the store decides. */
export const ON_S3: readonly string[] = [
  'test/on-s3/conformance.test.ts',
  'test/on-s3/redirect.test.ts',
  'test/on-s3/start.test.ts',
  'test/server/resumable.test.ts',
  'test/server/resumable-offset.test.ts',
  'test/server/tus.test.ts',
  'test/server/videos.test.ts',
]

/** What `npm run test:slow` runs with the objects in Ceph. */
export const SLOW_ON_S3: Readonly<Record<string, string>> = {
  'test/on-s3/copy.test.ts': 'copies of 150 objects to S3 and back by processes that are killed',
  'test/on-s3/faults.test.ts': 'kills of the gateway and of servers',
  'test/on-s3/three-nodes.test.ts': 'three servers behind a proxy, and files of 48 MiB',
  'test/s3/many.test.ts': 'thousands of objects, of which S3 lists 1,000 at a time',
  'test/s3/processes.test.ts': 'writers that are killed, frozen, and cut off at each call of a commit',
  'test/resumable/processes.test.ts': 'servers that are killed while uploads are under way',
  'test/resumable/resumable.test.ts': 'the cases of resumable uploads, which `npm test` runs on the disk',
  'test/server/digests.test.ts': 'thousands of uploads with a wrong digest',
  'test/server/example.test.ts': 'a program of the README, which runs on the disk in `npm test`',
  'test/server/upload-races.test.ts': 'a hundred uploads at once under one name',
}

/** The tests of the S3 store that share the cluster of the run, because they leave it as it is. */
export const SHARING_CEPH: readonly string[] = [
  'test/s3/answers.test.ts',
  'test/s3/koa.test.ts',
  'test/s3/lost-answers.test.ts',
  'test/s3/maintenance.test.ts',
  'test/s3/many.test.ts',
  'test/s3/objects.test.ts',
  'test/s3/processes.test.ts',
  'test/s3/s3-store.test.ts',
]
