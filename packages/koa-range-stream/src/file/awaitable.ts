/** What a local disk gives at once, and a network has to be waited for. */
export type Awaitable<T> = T | Promise<T>
