import { Session } from 'node:inspector/promises'

// Loaded by --import before the program whose files are counted. JavaScript, as that process runs it as it is.

const session = new Session()
session.connect()
await session.post('Profiler.enable')
await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false })

/** The modules of which a function has run since the call before: V8 counts from 0 again each time. */
async function enteredModules() {
  const { result } = await session.post('Profiler.takePreciseCoverage')
  // The first function of a module is its top level, which runs when it is loaded.
  const entered = ({ functions }) =>
    functions.some(({ functionName, ranges }) => functionName !== '' && ranges[0].count > 0)
  return result.filter(entered).map(({ url }) => url)
}

process.on('message', async () => process.send(await enteredModules()))
