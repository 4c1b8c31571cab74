import type { Exchange } from './exchange.ts'
import type { DeclaredUpload, UploadTarget } from './options.ts'

/**
 * Finds out what an upload is created for: `resolveTarget` names the target, `authorize` permits it, and `onCreate` may change
 * it. Returns `null` if the app has no target for the request.
 *
 * @throws what the app throws to refuse the upload
 */
export async function findTarget(
  { ctx, settings }: Exchange,
  declared: DeclaredUpload,
): Promise<UploadTarget | null> {
  const target = await settings.resolveTarget(ctx, declared)
  if (target === null) return null
  const { key, type, metadata = {} } = target
  await settings.authorize(ctx, 'create', { key, metadata })
  const changes = await settings.hooks.onCreate?.(ctx, { key, type, metadata, length: declared.length })
  return { ...target, ...changes }
}
