// tus-js-client's types name Node's Buffer among what it can send; no page has one.
type Buffer = never
