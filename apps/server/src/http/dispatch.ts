import type Router from '@koa/router'
import type { Layer } from '@koa/router'
import type Koa from 'koa'
import { matchRoute, type RoutePattern, routePatterns } from './route-table.ts'

/** A pattern of the table of routes as @koa/router writes it. */
export function routerPath(pattern: RoutePattern): string {
  return pattern === '*' ? '\\*' : pattern.replace(/\*$/, '*path')
}

/**
 * Returns middleware that runs the handlers which `router` has for a route of the table. `router.routes()` would try the
 * expression of every route, for each request.
 *
 * The property `router` is that of `router.routes()`: instrumentation such as OpenTelemetry's replaces the handlers on it
 * to name its spans after their routes. So this looks a handler up when it calls it.
 */
export function dispatch(router: Router): Koa.Middleware & { readonly router: Router } {
  const layers = new Map(routePatterns().map((pattern) => [pattern, layersByMethod(router, pattern)]))
  const run: Koa.Middleware = (ctx, next) => {
    const route = matchRoute(ctx.path)
    const layer = route === null ? undefined : layers.get(route.pattern)?.get(ctx.method)
    if (route === null || layer === undefined) return next()
    // As @koa/router leaves them to its handlers and to instrumentation.
    const [parameter] = layer.paramNames
    ctx['params'] = parameter === undefined ? {} : { [parameter.name]: route.parameter }
    ctx['_matchedRoute'] = layer.path
    return runHandler(layer, 0, ctx, next)
  }
  return Object.assign(run, { router })
}

function layersByMethod(router: Router, pattern: RoutePattern): ReadonlyMap<string, Layer> {
  const layers = router.stack.filter(({ path }) => path === routerPath(pattern))
  return new Map(layers.flatMap((layer) => layer.methods.map((method) => [method, layer] as const)))
}

function runHandler(layer: Layer, at: number, ctx: Koa.Context, next: Koa.Next): Promise<unknown> | unknown {
  const handler = layer.stack[at]
  if (handler === undefined) return next()
  return Reflect.apply(handler, undefined, [ctx, () => runHandler(layer, at + 1, ctx, next)])
}
