const ID = /^[\w-]{22}$/

/** Returns whether an upload may have this id. No other id reaches the store, which names files by ids. */
export function isUploadId(id: string): boolean {
  return ID.test(id)
}
