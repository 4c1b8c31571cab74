/** What a server did against the rules or the case, in words for the report. */
export class Violation extends Error {}

/** The case is about something that this server does not have, e.g. entity-tags. */
export class NotApplicable extends Error {}
