#!/usr/bin/env bash
# Publishes what the registry does not have yet, those first that others depend on, and tags it. Flags go to `npm publish`.
set -euo pipefail
cd "$(dirname "$0")/.."

tarballs=$(mktemp -d)
trap 'rm -rf "$tarballs"' EXIT
for folder in packages/range-core packages/koa-range-stream packages/upload-store packages/koa-resumable-upload apps/server; do
  release=$(node -p "const { name, version } = require('./$folder/package.json'); name + '@' + version")
  if npm view "$release" version >/dev/null 2>&1; then
    echo "$release is there already"
    continue
  fi
  # pnpm writes versions for workspace: and catalog:, and npm has the workflow's identity.
  (cd "$folder" && npx --yes pnpm@12.21.0 pack --out "$tarballs/package.tgz")
  npm publish "$tarballs/package.tgz" "$@"
  [[ " $* " == *' --dry-run '* ]] && continue
  git tag "$release"
  git push origin "$release"
done
