const ID = /^[\w-]{22}$/

/** Whether an upload may have this id: others never reach the store, which names files by it. */
export function isUploadId(id: string): boolean {
  return ID.test(id)
}
