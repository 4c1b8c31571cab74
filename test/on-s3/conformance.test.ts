import { ABOUT_OBJECTS, describeConformance } from '../conformance/describe-conformance.ts'
import { startStored } from '../conformance/ours.ts'

describeConformance('the demo server, stored objects on S3', startStored, ABOUT_OBJECTS)
