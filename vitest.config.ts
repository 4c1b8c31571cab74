import { availableParallelism } from 'node:os'
import { configDefaults, defineConfig } from 'vitest/config'
import { ON_S3, SHARING_CEPH, SLOW, SLOW_ON_S3, WITHOUT_SENDFILE } from './test/suites.ts'
import { missing } from './test/support/programs.ts'

const RUN_DIRECTORY = 'test/support/run-directory.ts'

/** A project of vitest; `onS3`: the objects of its tests are in the one Ceph of the run. */
function project(name: string, include: readonly string[], exclude: readonly string[], onS3 = false) {
  const env = {
    RANGE_SERVER_SENDFILE: name === 'slow-without-sendfile' ? 'off' : 'on',
    TESTS_ARE_SLOW: String(name.startsWith('slow')),
  }
  const files = { include: [...include], exclude: [...configDefaults.exclude, ...exclude], env }
  if (!onS3) return { extends: true as const, test: { name, ...files, globalSetup: RUN_DIRECTORY } }
  const globalSetup = [RUN_DIRECTORY, 'test/on-s3/cluster-for-all.ts']
  return {
    extends: true as const,
    test: { name, ...files, globalSetup, setupFiles: 'test/on-s3/store-on-s3.ts' },
  }
}

/** `npm test` runs `disk` and `s3`, `npm run test:slow` the others. */
function projects() {
  const slow = Object.keys(SLOW)
  const slowOnS3 = Object.keys(SLOW_ON_S3)
  const hasCeph = missing(['ceph-mon', 'ceph-osd', 'radosgw']) === null
  const elsewhere = ['test/on-s3/**', ...slow, ...(hasCeph ? SHARING_CEPH : [])]
  const onDisk = [
    project('disk', ['test/**/*.test.ts', 'apps/bench/test/*.test.ts'], elsewhere),
    project('slow', slow, []),
    project('slow-without-sendfile', WITHOUT_SENDFILE, []),
  ]
  if (!hasCeph) return onDisk
  const fast = project('s3', [...ON_S3, ...SHARING_CEPH], slowOnS3, true)
  return [...onDisk, fast, project('slow-s3', slowOnS3, [], true)]
}

export default defineConfig({
  test: {
    projects: projects(),
    // What is built is run by Node as it is, as users run it.
    server: { deps: { external: [/\/(?:packages|apps)\/[^/]+\/dist\//] } },
    // Coverage is of Node's processes, of which these are ended before it is written: `npm run coverage`.
    setupFiles: [
      'test/support/place-of-files.ts',
      'test/support/fail-on-leaked-file.ts',
      ...(process.env['NODE_V8_COVERAGE'] === undefined ? [] : ['test/support/write-coverage.ts']),
    ],
    env: {
      // Versions are chosen for this Node.
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
      // Overwrites pooled buffers when they are released, here and in the servers that tests start.
      POISON_RELEASED_BUFFERS: '1',
    },
    // Tests start servers, ffmpeg and Chromium, and other programs may use the machine: only a broken product takes longer.
    testTimeout: 60_000,
    expect: { poll: { timeout: 20_000 } },
    hookTimeout: 120_000,
    // Loading vitest and the packages takes 0.8 s of processor time, so each worker does it once for all of its files.
    isolate: false,
    // More than there are cores: most tests wait for a process or a time limit.
    maxWorkers: Math.max(4, availableParallelism()),
  },
})
