import { createRequire } from 'node:module'
import { enableWith } from './enable.ts'

/**
 * Has the kernel send files to plain HTTP/1 connections, in this process and for both builds of the package.
 *
 * @returns whether it does: on Linux, if the package koffi is installed. Otherwise files are sent as before.
 * @example
 * import { enableSendfile } from 'koa-range-stream/sendfile'
 * console.log(enableSendfile() ? 'sendfile' : 'read and write')
 */
export function enableSendfile(): boolean {
  return enableWith(createRequire(import.meta.url))
}
