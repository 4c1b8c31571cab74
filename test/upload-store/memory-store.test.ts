import { createMemoryStore } from 'upload-store'
import { describeContract } from './contract.ts'
import { describeConcatenation } from './contract-concatenation.ts'
import { describeResumption } from './contract-resume.ts'
import { describeUploads } from './contract-uploads.ts'

describeContract('memory store', async (options) => createMemoryStore(options))
describeResumption('memory store', async (options) => createMemoryStore(options))
describeConcatenation('memory store', async (options) => createMemoryStore(options))
describeUploads('memory store', async (options) => createMemoryStore(options))
