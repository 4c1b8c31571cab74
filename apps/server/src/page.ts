import { type Html, html } from './html.ts'

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
${readOnly ? account : upload(model)}
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

function upload({ maxFileSize, accept }: PageModel): Html {
  // The token */* is not in the grammar of the attribute: to accept everything is to leave it out.
  const accepted = accept === '*/*' ? null : html` accept="${accept}"`
  return html`<section class="upload" aria-labelledby="upload-title">
<h2 class="unseen" id="upload-title">Upload</h2>
<form id="upload" method="post" action="/video" enctype="multipart/form-data" data-max-file-size="${maxFileSize}">
<input type="file" name="file" aria-label="File to upload" aria-describedby="limit"${accepted} required>
<button class="button primary">${icon('upload')}<span>Upload</span></button>
<p class="hint"><span class="scripted">Or drop them anywhere on this page.</span>
<span id="limit">Up to ${humanSize(maxFileSize)} per file.</span></p>
</form>
<ol class="queue" id="queue" role="list" aria-label="Uploads in progress"></ol>
<template id="job"><li class="job">
<div class="job-head"><bdi class="name"></bdi>
<button class="tool" type="button">${icon('close')}</button></div>
<progress max="1" value="0"></progress>
<p class="meta"></p>
<div class="error" role="alert"></div>
</li></template>
</section>`
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

type Icon = 'audio' | 'close' | 'delete' | 'download' | 'file' | 'upload' | 'video'

const ICONS: Readonly<Record<Icon, string>> = {
  audio:
    'M9 17.5V6l10-2v11.5M9 17.5a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0Zm10-2a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0Z',
  close: 'M6 6l12 12M18 6 6 18',
  delete: 'M4 7h16M9 7V4h6v3M6.5 7l.8 13h9.4l.8-13M10 11v5M14 11v5',
  download: 'M12 4v11M7.5 10.5 12 15l4.5-4.5M5 20h14',
  file: 'M6 3h8l4 4v14H6V3Zm8 0v4h4',
  upload: 'M12 16V5M7.5 9.5 12 5l4.5 4.5M5 20h14',
  video: 'M8 5.5v13l10.5-6.5L8 5.5Z',
}

function sprite(): Html {
  const symbols = Object.entries(ICONS).map(
    ([name, path]) => html`<symbol id="icon-${name}" viewBox="0 0 24 24"><path d="${path}"/></symbol>`,
  )
  return html`<svg class="sprite" aria-hidden="true">${symbols}</svg>`
}

function icon(name: Icon): Html {
  return html`<svg class="icon" aria-hidden="true"><use href="#icon-${name}"/></svg>`
}

const DATE = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeZone: 'UTC' })

const kindOf = (type: string): 'video' | 'audio' | 'file' =>
  type.startsWith('video/') ? 'video' : type.startsWith('audio/') ? 'audio' : 'file'

const downloadPath = (key: string): string => `/videos/${encodeURIComponent(key)}?download`

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB']

/** In the units of `--max-file-size`, e.g. `2.5 GiB`. */
export function humanSize(bytes: number): string {
  // At most three digits in front of the unit.
  const steps = UNITS.findIndex((_, step) => bytes < 999.5 * 1024 ** step)
  const step = steps === -1 ? UNITS.length - 1 : steps
  const value = bytes / 1024 ** step
  return `${Number(value.toFixed(value < 99.95 ? 1 : 0))} ${UNITS[step]}`
}
