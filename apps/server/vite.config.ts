import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { brotliCompress, gzip } from 'node:zlib'
import { defineConfig, type Plugin } from 'vite'

const OUT = fileURLToPath(new URL('dist/page', import.meta.url))
/** In smaller files the header fields weigh more than what is saved. */
const WORTHWHILE = 1024

/** Beside each text its .br and .gz, which koa-static sends to those who accept them. */
function precompress(): Plugin {
  return {
    name: 'precompress',
    async closeBundle() {
      for (const name of await readdir(OUT)) {
        const path = join(OUT, name)
        const content = await readFile(path)
        if (content.length < WORTHWHILE || !/\.(?:css|js|svg)$/.test(name)) continue
        await writeFile(`${path}.br`, await promisify(brotliCompress)(content))
        await writeFile(`${path}.gz`, await promisify(gzip)(content, { level: 9 }))
      }
    },
  }
}

export default defineConfig({
  root: fileURLToPath(new URL('web', import.meta.url)),
  logLevel: 'warn',
  build: {
    target: 'es2022',
    outDir: OUT,
    emptyOutDir: true,
    modulePreload: false,
    rolldownOptions: {
      input: fileURLToPath(new URL('web/page.ts', import.meta.url)),
      output: {
        // No hashes: the markup names them without a manifest, and a page that was opened before an update finds them after it.
        entryFileNames: '[name].js',
        chunkFileNames: ({ facadeModuleId }) =>
          facadeModuleId?.includes('tus-js-client') ? 'tus.js' : '[name].js',
        assetFileNames: '[name][extname]',
      },
    },
  },
  plugins: [precompress()],
})
