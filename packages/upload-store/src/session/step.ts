import { channel } from 'node:diagnostics_channel'

/** The channel whose store is the name of the current step. Without a bound store, `runStores` only calls the function. */
const steps = channel('upload-store:step')

/**
 * Returns the result of one named step of a commit or a sweep. The name is the failpoint of `npm run faults -- --at <name>`:
 * the test harness binds an AsyncLocalStorage to the channel, and so learns which step makes a call.
 */
export function step<T>(name: string, work: () => Promise<T>): Promise<T> {
  return steps.runStores({ name }, work)
}
