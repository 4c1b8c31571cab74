import { describeWith } from '../support/tools.ts'
import { describeContract } from '../upload-store/contract.ts'
import { describeConcatenation } from '../upload-store/contract-concatenation.ts'
import { describeResumption } from '../upload-store/contract-resume.ts'
import { describeUploads } from '../upload-store/contract-uploads.ts'
import { CEPH, Ceph } from './ceph.ts'

describeWith(CEPH, 'S3 store on Ceph', () => {
  const ceph = new Ceph()

  describeContract('S3 store', async (options) => ceph.open(options))
  describeResumption('S3 store', async (options) => ceph.open(options))
  describeConcatenation('S3 store', async (options) => ceph.open(options))
  describeUploads('S3 store', async (options) => ceph.open(options))
})
