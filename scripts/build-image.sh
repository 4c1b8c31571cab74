#!/bin/sh
# Builds the server and its page, and puts them with their dependencies into a new folder: scripts/build-image.sh /deployed
# The Dockerfile runs it, and test/pack/image.test.ts does so without Docker.
set -eu
cd "$(dirname "$0")/.."
pnpm='npx --yes pnpm@12.21.0'

$pnpm install --frozen-lockfile --filter koa-range-suite --filter image...
npx tsc -b apps/server
node scripts/build-page.mjs
# The install above has checked the age of what the lockfile names; a second check asks the registry again, for 20 s.
$pnpm --filter image deploy --prod --legacy --frozen-lockfile --config.minimum-release-age=0 "$1"
