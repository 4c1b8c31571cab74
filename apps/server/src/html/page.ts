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
  /** A way to sign in or out; `null` without a token. */
  readonly account: Html | null
  /** A message about the request, or `null`. */
  readonly notice: { readonly title: string; readonly detail: string } | null
  /** Absolute URLs for previews of a link to a video, or `null`. */
  readonly preview: Preview | null
}

/** What a link preview shows of the video. */
export interface Preview {
  readonly url: string
  readonly video: string
  /** `null` if the video has no picture. */
  readonly poster: string | null
  /** In seconds; `null` if it is not known. */
  readonly duration: number | null
}

/**
 * Returns the whole page as HTML. It works without script; `/page/page.js` improves it in place.
 *
 * @example
 * ctx.type = 'html'
 * ctx.body = renderPage({ ...model, playing: null })
 */
export function renderPage(model: PageModel): string {
  const { playing, readOnly, account, notice, preview } = model
  const current = playing?.video.key ?? null
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="same-origin">
<meta name="color-scheme" content="light dark">
<title>${current === null ? '' : `${current} – `}Range server</title>
${playing && preview && previewTags(playing, preview)}
<link rel="icon" type="image/svg+xml" href="/page/favicon.svg">
<link rel="stylesheet" href="/page/page.css">
<noscript><style>.scripted{display:none!important}.unscripted{display:revert!important}</style></noscript>
<script type="module" src="/page/page.js"></script>
</head>
<body>
${sprite()}
<header class="top">
<h1><a class="brand" href="/"><img src="/page/favicon.svg" alt="" width="28" height="28">Range server</a></h1>
<div class="account">${account}
<button class="tool scripted" type="button" id="keys-button" aria-label="Keyboard shortcuts" title="Keyboard shortcuts (?)">${icon('keys')}</button></div>
</header>
<main${current === null ? null : html` data-playing`}>
<div class="notice" id="notice" role="alert">${
    notice &&
    html`<div><strong>${notice.title}</strong><p>${notice.detail}</p></div>
<a class="tool" href="/" aria-label="Close">${icon('close')}</a>`
  }</div>
${playerSection(playing, readOnly)}
<div class="side">
${readOnly ? null : uploadSection(model)}
${librarySection({ ...model.library, current, readOnly })}
</div>
</main>
${footer(readOnly)}
<p class="unseen" id="status" role="status" aria-live="polite"></p>
${keys()}
<template id="close"><button class="tool" type="button" aria-label="Close">${icon('close')}</button></template>
${readOnly ? null : writing()}
</body>
</html>
`.html
}

/** Open Graph (https://ogp.me), for applications that show a preview of a link. */
function previewTags({ video }: Playing, { url, video: source, poster, duration }: Preview): Html {
  return html`<meta property="og:title" content="${video.key}">
<meta property="og:type" content="video.other">
<meta property="og:url" content="${url}">
<meta property="og:video" content="${source}">
<meta property="og:video:type" content="${video.type}">
${duration === null ? null : html`<meta property="og:video:duration" content="${Math.round(duration)}">`}
${poster === null ? null : html`<meta property="og:image" content="${poster}">`}
<meta name="twitter:card" content="${poster === null ? 'summary' : 'summary_large_image'}">`
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
<h2 id="keys-title">Keyboard shortcuts</h2>
<dl class="keys"></dl>
<form method="dialog" class="choices"><button class="button">Close</button></form>
</dialog>`
}

function writing(): Html {
  return html`<div class="drop" aria-hidden="true"><p>${icon('upload')}Drop to upload</p></div>
<section class="toasts" aria-label="Deleted"><ul id="toasts" role="list"></ul></section>
<template id="toast"><li class="toast"><bdi class="name"></bdi> <span>deleted</span><button type="button">Undo</button></li></template>`
}
