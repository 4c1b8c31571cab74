import { randomUUID } from 'node:crypto'
import { createS3Store } from 'upload-store/s3'
import { describeContract } from '../upload-store/contract.ts'
import { describeInspection } from '../upload-store/contract-inspect.ts'
import { describeResumption } from '../upload-store/contract-resume.ts'

const open = async (options = {}) =>
  createS3Store({
    endpoint: 'http://127.0.0.1:18480',
    bucket: 'range-test',
    prefix: `${randomUUID()}/`,
    credentials: { accessKeyId: 'rangetestaccess', secretAccessKey: 'rangetestsecretrangetestsecret' },
    ...options,
  })
describeContract('S3 store', open)
describeResumption('S3 store', open)
describeInspection('S3 store', open)
