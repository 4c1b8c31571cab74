/**
 * Kills the processes whose environment or arguments name `directory`, and removes it, when this process ends, by SIGKILL too,
 * or when the returned function is called.
 */
export function cleanUpAfterwards(directory: string): () => Promise<void>
