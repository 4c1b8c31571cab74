import { expect } from 'vitest'

/**
 * Tests whose subject is what a file system does: caches, times, links, and the bytes that reach the disk. All others take
 * it as given, and most of their time was waiting for the disk.
 */
const ABOUT_DISKS = /\/test\/(?:upload-store\/|koa-range-stream\/|server\/resumable-costs\.)/

// Once for each file of tests. `run-directory.ts` has set both variables, to the same directory where there is little memory.
const { TEST_DIRECTORY_ON_DISK, TEST_DIRECTORY_IN_MEMORY, TESTS_ARE_SLOW } = process.env
const isOnDisk = TESTS_ARE_SLOW === 'true' || ABOUT_DISKS.test(expect.getState().testPath ?? '')
process.env['TMPDIR'] = isOnDisk ? TEST_DIRECTORY_ON_DISK : TEST_DIRECTORY_IN_MEMORY
