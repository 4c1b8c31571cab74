const PACKAGES = [
  'packages/range-core',
  'packages/koa-range-stream',
  'packages/upload-store',
  'packages/koa-resumable-upload',
  'apps/server',
]
const METRICS = ['statements', 'branches', 'functions', 'lines']

const isBuilt = ({ url }) => PACKAGES.some((name) => url.includes(`/${name}/dist/`))

/** `npm run coverage`: of the sources of each package, in the tests and in the processes that they start. */
export default {
  name: 'Coverage',
  outputDir: 'coverage',
  reports: ['v8'],
  logging: 'error',
  // Also what no test has loaded.
  all: { dir: PACKAGES.map((name) => `${name}/dist`), filter: { '**/*.js': true } },
  entryFilter: isBuilt,
  onEnd: ({ files }) => {
    console.table(Object.fromEntries(PACKAGES.map((name) => [name, percentages(files, name)])))
    console.log(
      'Each file is in coverage/index.html. Not counted: the page in Chromium, and servers that a test kills otherwise than by stop().',
    )
  },
}

function percentages(files, name) {
  const own = files.filter(({ sourcePath }) => sourcePath.startsWith(`${name}/src/`))
  return Object.fromEntries(METRICS.map((metric) => [metric, percentage(own, metric)]))
}

function percentage(files, metric) {
  const sum = (key) => files.reduce((count, { summary }) => count + summary[metric][key], 0)
  return Math.round((1000 * sum('covered')) / sum('total')) / 10
}
