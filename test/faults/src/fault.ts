export const KINDS = ['lost', 'torn', 'orphan', 'wrong digest', 'other'] as const

/** Something that is not as it has to be. */
export interface Fault {
  readonly kind: (typeof KINDS)[number]
  readonly text: string
}
