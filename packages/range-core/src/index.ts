export {
  type EntityTag,
  parseEntityTag,
  parseEntityTags,
  strongMatch,
  weakMatch,
} from './entity-tag.ts'
export { formatHttpDate, parseHttpDate } from './field-values.ts'
export { layoutMultipart, type MultipartLayout, type MultipartPart } from './multipart.ts'
export { type PlanOptions, planResponse, type ResponseFields, type ResponsePlan } from './plan.ts'
export { evaluateIfRange, evaluatePreconditions, type PreconditionOutcome } from './preconditions.ts'
export {
  type ByteRange,
  coalesceRanges,
  formatContentRange,
  parseRange,
  type RangeSpec,
  resolveRanges,
} from './range.ts'
export { canRedirect } from './redirect.ts'
export type { Representation, RequestFields, RequestHead } from './representation.ts'
