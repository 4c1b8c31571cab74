import { createMemoryStore } from 'upload-store'
import { describeContract } from './contract.ts'

describeContract('memory store', async (options) => createMemoryStore(options))
