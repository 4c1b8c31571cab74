// JavaScript, because programs that run without a compiler use it, too.

const INTERVAL = 5

/** Lets tests wait for what the uploads of `store`, in this process, have accepted. */
export function watchUploads(store) {
  const writers = new Set()
  for (const name of ['createUpload', 'resumeUpload']) {
    const open = store[name].bind(store)
    store[name] = async (...parameters) => {
      const session = await open(...parameters)
      if (session !== null) watch(session, writers)
      return session
    }
  }
  return {
    accepted: (bytes, id) =>
      until(() => [...writers].some((one) => (id ?? one.id) === one.id && one.offset >= bytes)),
    ended: (id) => until(() => ![...writers].some((one) => (id ?? one.id) === one.id)),
  }
}

/** Has `writers` contain the session from its first append to its end. */
function watch(session, writers) {
  const append = session.append.bind(session)
  session.append = (...parameters) => {
    const appending = append(...parameters)
    writers.add(session)
    return appending
  }
  for (const name of ['pause', 'abort', 'commit']) {
    const end = session[name].bind(session)
    session[name] = (...parameters) => end(...parameters).finally(() => writers.delete(session))
  }
}

async function until(holds) {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, INTERVAL))
}
