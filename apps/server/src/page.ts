import { type Html, html } from './html.ts'
import { humanSize } from './human-size.ts'
import { icon, sprite } from './icons.ts'
import { uploadSection } from './upload-section.ts'

export interface PageVideo {
  readonly key: string
  /** In bytes. */
  readonly size: number
  /** The media type. */
  readonly type: string
  /** ISO 8601. */
  readonly created: string
  /** The site-absolute path of the bytes. */
  readonly url: string
}

export interface PageModel {
  /** One page of the list, in the order of keys. */
  readonly videos: readonly PageVideo[]
  /** The cursor of the next page, or `null` on the last. */
  readonly next: string | null
  /** What the player shows, or `null` when nothing is chosen. */
  readonly playing: PageVideo | null
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
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${playing === null ? '' : `${playing.key} – `}Range server</title>
<link rel="icon" type="image/svg+xml" href="/page/favicon.svg">
<link rel="stylesheet" href="/page/page.css">
<script type="module" src="/page/page.js"></script>
</head>
<body>
${sprite()}
<header class="top">
<h1><a class="brand" href="/"><img src="/page/favicon.svg" alt="" width="28" height="28">Range server</a></h1>
</header>
<main>
<div class="notice" id="notice" role="alert"></div>
${player(playing)}
<div class="side">
${readOnly ? account : uploadSection(model)}
${library(model)}${readOnly ? null : account}
</div>
</main>
${footer(readOnly)}
<p class="unseen" id="status" role="status" aria-live="polite"></p>
${readOnly ? null : dialog()}
</body>
</html>
`.html
}

/** Which notes are hidden is all that the script has to change when another video or an error comes. */
function player(video: PageVideo | null): Html {
  const kind = video === null ? 'none' : kindOf(video.type)
  const download = video === null ? '' : downloadPath(video.key)
  const hiddenUnless = (shown: boolean): Html | null => (shown ? null : html` hidden`)
  return html`<section class="player" id="player" aria-labelledby="playing"${video && data(video)}>
<div class="stage" id="stage" data-kind="${kind}">
${icon(kind === 'none' ? 'video' : kind)}
${video && media(video)}
<p data-note="none"${hiddenUnless(kind === 'none')}>What you choose from the library plays here.</p>
<p data-note="file"${hiddenUnless(kind === 'file')}>Browsers do not play this type of file.
<a href="${download}" download>Download it</a> instead.</p>
<p data-note="codec" role="alert" hidden>This browser cannot play this file’s codec;
<a href="${download}" download>download it instead</a>.</p>
<p data-note="network" role="alert" hidden>The connection was lost while the file was playing.
Choose it again, or <a href="${download}" download>download it</a>.</p>
</div>
<div class="caption" id="caption"${hiddenUnless(video !== null)}>
<div>
<h2 id="playing"><bdi>${video === null ? 'Player' : video.key}</bdi></h2>
<p class="meta" id="facts">${video && `${humanSize(video.size)} · ${video.type}`}</p>
</div>
<a class="button" id="download" href="${download}" download>${icon('download')}Download</a>
</div>
</section>`
}

function media(video: PageVideo): Html | null {
  const kind = kindOf(video.type)
  if (kind === 'file') return null
  return kind === 'video'
    ? html`<video controls playsinline preload="metadata" src="${video.url}"></video>`
    : html`<audio controls preload="metadata" src="${video.url}"></audio>`
}

function library({ videos, next, playing, readOnly }: PageModel): Html {
  const nothing = readOnly
    ? 'Nothing has been published here yet.'
    : 'Nothing here yet. Your first upload will appear in this list.'
  const more = next === null ? '/' : `/?cursor=${encodeURIComponent(next)}`
  return html`<section class="library" aria-labelledby="library-title">
<h2 id="library-title" tabindex="-1">Library</h2>
<p class="empty" id="empty"${videos.length === 0 ? null : html` hidden`}>${nothing}</p>
<ul class="rows" id="rows" role="list">${videos.map((video) => row(video, video.key === playing?.key, readOnly))}</ul>
<a class="button more" id="more" href="${more}"${next === null ? html` hidden` : null}>Show more</a>
<template id="row">${row(BLANK, false, readOnly)}</template>
</section>`
}

/** For the row that the script clones and fills. */
const BLANK: PageVideo = { key: '', size: 0, type: '', created: new Date(0).toISOString(), url: '' }

function row(video: PageVideo, current: boolean, readOnly: boolean): Html {
  const { key, size, type, created } = video
  const date = DATE.format(new Date(created))
  return html`<li class="row"${data(video)}>
<a class="open" href="/?play=${encodeURIComponent(key)}"${current ? html` aria-current="true"` : null}>
<span class="tile">${icon(kindOf(type))}</span>
<span class="text"><bdi class="name" title="${key}">${key}</bdi>
<span class="meta"><span class="size">${humanSize(size)}</span> · <time datetime="${created}">${date}</time></span></span>
</a>
<a class="tool" href="${downloadPath(key)}" aria-label="Download ${key}" download>${icon('download')}</a>
${readOnly ? null : html`<button class="tool scripted" type="button" aria-label="Delete ${key}">${icon('delete')}</button>`}
</li>`
}

/** The script reads its videos from here. */
function data({ key, size, type, created, url }: PageVideo): Html {
  return html` data-key="${key}" data-size="${size}" data-type="${type}" data-created="${created}" data-url="${url}"`
}

function footer(readOnly: boolean): Html {
  // The script puts the origin in front of the path.
  const example = readOnly
    ? html`List from a terminal: <code>curl <span class="origin"></span>/videos</code>`
    : html`Upload from a terminal: <code>curl -F file=@clip.mp4 <span class="origin"></span>/video</code>`
  return html`<footer class="bottom"><p>${example}</p></footer>`
}

function dialog(): Html {
  return html`<div class="drop" aria-hidden="true"><p>${icon('upload')}Drop to upload</p></div>
<dialog id="confirm" aria-labelledby="confirm-title" aria-describedby="confirm-text">
<form method="dialog">
<h2 id="confirm-title">Delete this file?</h2>
<p id="confirm-text"><bdi class="name"></bdi> will be gone for everyone. This cannot be undone.</p>
<div class="choices">
<button class="button" value="keep" autofocus>Keep it</button>
<button class="button danger" value="delete">Delete</button>
</div>
</form>
</dialog>`
}

const DATE = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeZone: 'UTC' })

const kindOf = (type: string): 'video' | 'audio' | 'file' =>
  type.startsWith('video/') ? 'video' : type.startsWith('audio/') ? 'audio' : 'file'

const downloadPath = (key: string): string => `/videos/${encodeURIComponent(key)}?download`
