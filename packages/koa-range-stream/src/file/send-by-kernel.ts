import type { ServerResponse } from 'node:http'
import type { Descriptor } from './descriptors.ts'

/** The result of `send` if the bytes are not in the kernel's memory, so that sending them would wait for the disk. */
export const COLD = -1

/** Sends files without copying their bytes through this process; `enableSendfile` provides it. */
export interface KernelSender {
  /** Whether the response is one to which the kernel can send, as far as that is known before it begins. */
  canSendTo(response: ServerResponse): boolean
  /**
   * Sends up to `length` bytes of the file from `position`, after the header section, and returns at once.
   *
   * @returns the number of bytes that the kernel took; 0 if the bytes have to be written, for whatever reason, which the
   * read or the write then shows; or `COLD`
   */
  send(response: ServerResponse, fd: number, position: number, length: number): number
}

/** The ESM and the CommonJS build share it; the number changes with its form. */
const SENDER: unique symbol = Symbol.for('koa-range-stream/kernel-sender/1')
const host: typeof globalThis & { [SENDER]?: KernelSender | null } = globalThis

/** Lets the kernel send files, or stops that. */
export function useKernelSender(sender: KernelSender | null): void {
  host[SENDER] = sender
}

/** Returns what can send the file to the response in place of `write`, or `null`. */
export function kernelSender(response: ServerResponse, file: Descriptor): KernelSender | null {
  const sender = host[SENDER]
  return sender != null && file.isLocal && sender.canSendTo(response) ? sender : null
}
