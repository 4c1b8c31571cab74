import { type Html, html } from './html.ts'
import { icon, sprite } from './icons.ts'
import { type Library, librarySection } from './library-section.ts'
import { type Playing, playerSection } from './player-section.ts'
import { uploadSection } from './upload-section.ts'

export interface PageModel {
  readonly library: Omit<Library, 'current' | 'readOnly'>
  /** What the player shows, or `null` when nothing is chosen. */
  readonly playing: Playing | null
  /** In bytes. */
  readonly maxFileSize: number
  /** The accept attribute of the file input, e.g. `video/*,audio/*`. */
  readonly accept: string
  /** Without upload and delete. */
  readonly readOnly: boolean
  /** A way to sign in, where there is no form to upload with, or out; `null` without a token. */
  readonly account: Html | null
}

/**
 * Returns the whole page as HTML. It works without script; `/page/page.js` improves it in place.
 *
 * @example
 * ctx.type = 'html'
 * ctx.body = renderPage({ ...model, playing: null })
 */
export function renderPage(model: PageModel): string {
  const { playing, readOnly, account } = model
  const current = playing?.video.key ?? null
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="same-origin">
<meta name="color-scheme" content="light dark">
<title>${current === null ? '' : `${current} – `}Range server</title>
<link rel="icon" type="image/svg+xml" href="/page/favicon.svg">
<link rel="stylesheet" href="/page/page.css">
<script type="module" src="/page/page.js"></script>
</head>
<body>
${sprite()}
<header class="top">
<h1><a class="brand" href="/"><img src="/page/favicon.svg" alt="" width="28" height="28">Range server</a></h1>
<button class="tool scripted" type="button" id="keys-button" aria-label="Keys" title="Keys (?)">${icon('keys')}</button>
</header>
<main>
<div class="notice" id="notice" role="alert"></div>
${playerSection(playing, readOnly)}
<div class="side">
${readOnly ? account : uploadSection(model)}
${librarySection({ ...model.library, current, readOnly })}
${readOnly ? null : account}
</div>
</main>
${footer(readOnly)}
<p class="unseen" id="status" role="status" aria-live="polite"></p>
${keys()}
${readOnly ? null : writing()}
</body>
</html>
`.html
}

function footer(readOnly: boolean): Html {
  // The script puts the origin in front of the path.
  const example = readOnly
    ? html`List from a terminal: <code>curl <span class="origin"></span>/videos</code>`
    : html`Upload from a terminal: <code>curl -F file=@clip.mp4 <span class="origin"></span>/video</code>`
  return html`<footer class="bottom"><p>${example}</p></footer>`
}

/** The script, which acts on them, fills it. */
function keys(): Html {
  return html`<dialog id="keys" aria-labelledby="keys-title">
<h2 id="keys-title">Keys</h2>
<dl class="keys"></dl>
<form method="dialog" class="choices"><button class="button">Close</button></form>
</dialog>`
}

function writing(): Html {
  return html`<div class="drop" aria-hidden="true"><p>${icon('upload')}Drop to upload</p></div>
<section class="toasts" aria-label="Deleted"><ul id="toasts" role="list"></ul></section>
<template id="toast"><li class="toast"><bdi class="name"></bdi> <span>deleted</span><button type="button">Undo</button></li></template>`
}
