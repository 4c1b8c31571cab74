import { createMemoryStore } from 'upload-store'
import { describeContract } from './contract.ts'
import { describeInspection } from './contract-inspect.ts'
import { describeResumption } from './contract-resume.ts'

describeContract('memory store', async (options) => createMemoryStore(options))
describeResumption('memory store', async (options) => createMemoryStore(options))
describeInspection('memory store', async (options) => createMemoryStore(options))
