import type Koa from 'koa'

/**
 * The first value of a query parameter. Not by `ctx.query`, which takes 450 ms for the 7,900 equal names that fit into one
 * request.
 */
export function queryValue(ctx: Koa.Context, name: string): string | undefined {
  if (ctx.querystring === '') return undefined
  return new URLSearchParams(ctx.querystring).get(name) ?? undefined
}
