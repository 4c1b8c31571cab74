import { useKernelSender } from '../file/send-by-kernel.ts'
import { loadKernel } from './kernel.ts'
import { SendfileSender } from './sendfile-sender.ts'

/** @param require loads koffi, which is found from where this package is installed */
export function enableWith(require: NodeJS.Require): boolean {
  const kernel = process.platform === 'linux' ? loadKernel(require) : null
  if (kernel === null) return false
  useKernelSender(new SendfileSender(kernel))
  return true
}
