import { inject } from 'vitest'

// Of this process, and so of those that it starts.
process.env['TEST_STORE_ON_S3'] = JSON.stringify(inject('s3'))
