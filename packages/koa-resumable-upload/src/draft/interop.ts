import { integerField } from '../http/structured-fields.ts'

/** What the versions of the draft differ in, as far as a server notices. */
export interface Interop {
  /** The interop version of the request, which asks for 104; `null` where it has none, or one that is not known here. */
  readonly version: number | null
  /** Whether the request has a version, known or not. */
  readonly isGiven: boolean
  /** Upload-Incomplete in place of Upload-Complete: it says the opposite. */
  readonly inverted: boolean
  /** Whether an append must be application/partial-upload. */
  readonly typeRequired: boolean
  /** Whether an append without Upload-Complete is the last one. */
  readonly missingMeansComplete: boolean
  /**
   * Whether an upload is complete once its known length is there. tus-js-client sends the last chunk of a file with ?0, and
   * takes an offset that is the length for success.
   */
  readonly lengthCompletes: boolean
  /** Whether offset retrieval with Upload-Offset or Upload-Complete is to be refused. */
  readonly bareRetrieval: boolean
  /** What the seconds that are left are called in Upload-Limit. */
  readonly lifeName: 'max-age' | 'expires'
  /** Of an append that does not complete the upload. */
  readonly appendStatus: 201 | 204
  /** Whether a 104 may tell an offset. */
  readonly tellsProgress: boolean
  /**
   * Whether a target of creations announces the media type of appends as Accept-Patch: up to draft -11 that meant support for
   * resumable uploads. Later drafts leave the field to paths that support PATCH (RFC 5789 §3.1).
   */
  readonly targetsAcceptPatch: boolean
  /** Whether appending to a completed upload has a problem type of its own. */
  readonly completedProblem: boolean
}

/** -01 is 3, -02 is 4, -03 is 5, -04 6, -06 7, -09 8, -12 9, -13 10. */
const VERSIONS = { oldest: 3, newest: 10 }

/**
 * Whether clients that send no version get 104. Until the RFC is published, no 104 may be sent to them, because their version
 * of the draft is unknown (appendix B). The clients of the RFC send no version.
 */
const RFC_IS_PUBLISHED = false

/** Returns whether a client of this version gets interim responses with status 104. */
export function takesInterimOf({ version, isGiven }: Interop): boolean {
  return version !== null || (RFC_IS_PUBLISHED && !isGiven)
}

/** Returns the field that repeats the version of the request, if it has one. */
export function versionField({ version }: Interop): Readonly<Record<string, string>> {
  return version === null ? {} : { 'Upload-Draft-Interop-Version': String(version) }
}

/** @see draft-ietf-httpbis-resumable-upload, appendix B */
export function readInterop(field: string | undefined): Interop {
  const given = integerField(field)
  const known = given !== null && given >= VERSIONS.oldest && given <= VERSIONS.newest
  const version = known ? given : null
  // No version is the newest one.
  const age = version ?? VERSIONS.newest
  return {
    version,
    isGiven: field !== undefined,
    inverted: age === 3,
    typeRequired: age >= 6,
    missingMeansComplete: age <= 6,
    lengthCompletes: age <= 6,
    bareRetrieval: age <= 5,
    lifeName: age === 6 ? 'expires' : 'max-age',
    appendStatus: age <= 5 ? 201 : 204,
    tellsProgress: age >= 6,
    targetsAcceptPatch: age <= 8,
    completedProblem: age >= 6 && age <= 8,
  }
}
