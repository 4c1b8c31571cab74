import enable = require('../sendfile/enable.ts')

/**
 * Has the kernel send files to plain HTTP/1 connections, in this process and for both builds of the package.
 *
 * @returns whether it does: on Linux, if the package koffi is installed. Otherwise files are sent as before.
 */
export function enableSendfile(): boolean {
  return enable.enableWith(require)
}
