import { availableParallelism } from 'node:os'
import { configDefaults, defineConfig } from 'vitest/config'
import { missing } from './test/support/programs.ts'

/** What is tested a second time, with its objects in Ceph. */
const ON_S3 = [
  'test/on-s3/*.test.ts',
  'test/resumable/*.test.ts',
  'test/server/{digests,example,resumable,resumable-limits,resumable-offset,tus,upload-limits,videos}.test.ts',
]

const RUN_DIRECTORY = 'test/support/run-directory.ts'

function projects() {
  const disk = {
    extends: true as const,
    test: {
      name: 'disk',
      include: ['test/**/*.test.ts'],
      exclude: [...configDefaults.exclude, 'test/on-s3/**'],
      globalSetup: RUN_DIRECTORY,
    },
  }
  const packages = missing(['ceph-mon', 'ceph-osd', 'radosgw'])
  if (packages !== null) {
    console.warn(
      `The server is not tested on S3: that needs Debian's ${packages} (apt-get install ${packages}).`,
    )
    return [disk]
  }
  const s3 = {
    name: 's3',
    include: ON_S3,
    globalSetup: [RUN_DIRECTORY, 'test/on-s3/cluster-for-all.ts'],
    setupFiles: 'test/on-s3/store-on-s3.ts',
  }
  return [disk, { extends: true as const, test: s3 }]
}

export default defineConfig({
  test: {
    projects: projects(),
    // What is built is run by Node as it is, as users run it.
    server: { deps: { external: [/\/(?:packages|apps)\/[^/]+\/dist\//] } },
    // Coverage is of Node's processes, of which these are ended before it is written: `npm run coverage`.
    setupFiles: [
      'test/support/fail-on-leaked-file.ts',
      ...(process.env['NODE_V8_COVERAGE'] === undefined ? [] : ['test/support/write-coverage.ts']),
    ],
    // Versions are chosen for this Node.
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
    reporters: ['default', './test/support/closing-line.ts'],
    // A test that starts a server, ffmpeg or Chromium on a busy machine.
    testTimeout: 30_000,
    expect: { poll: { timeout: 10_000 } },
    hookTimeout: 60_000,
    // Where there are 2 cores vitest would use one; much of what is tested waits.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // Tests of kills, stalls and time-outs on a machine that others use, too: what is broken fails twice.
    retry: process.env['CI'] === 'true' ? 1 : 0,
  },
})
