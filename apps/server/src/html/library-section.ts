import { humanSize } from '../shared/human-size.ts'
import { downloadPath, type PageVideo, playPath, videoKind } from '../shared/video.ts'
import { type Html, hiddenUnless, html, videoAttributes } from './html.ts'
import { icon } from './icons.ts'

export interface Library {
  /** One page of the list, in the order of keys. */
  readonly videos: readonly PageVideo[]
  /** The cursor of the next page, or `null` on the last. */
  readonly next: string | null
  /** What all keys begin with; empty: anything. */
  readonly prefix: string
  /** The key of what plays. */
  readonly current: string | null
  /** Without delete. */
  readonly readOnly: boolean
}

export function librarySection({ videos, next, prefix, current, readOnly }: Library): Html {
  const nothing = readOnly
    ? 'Nothing has been published here yet.'
    : 'Nothing here yet. Your first upload will appear in this list.'
  const isEmpty = videos.length === 0
  return html`<section class="library" aria-labelledby="library-title">
<div class="library-head">
<h2 id="library-title" tabindex="-1">Library</h2>
<form class="search" id="search" role="search" action="/">${icon('search')}
<input type="search" name="prefix" value="${prefix}" placeholder="Begins with …" aria-label="Search for names that begin with" autocomplete="off"></form>
</div>
<p class="empty" id="empty"${hiddenUnless(isEmpty && prefix === '')}>${nothing}</p>
<p class="empty" id="unfound"${hiddenUnless(isEmpty && prefix !== '')}>No name begins with “<bdi>${prefix}</bdi>”. Capitals count.</p>
<ul class="rows" id="rows" role="list">${videos.map((video) => row(video, video.key === current, readOnly))}</ul>
<a class="button more" id="more" href="${morePath(prefix, next)}"${hiddenUnless(next !== null)}>Show more</a>
<template id="row">${row(BLANK, false, readOnly)}</template>
</section>`
}

const morePath = (prefix: string, next: string | null): string =>
  next === null
    ? '/'
    : `/?${prefix === '' ? '' : `prefix=${encodeURIComponent(prefix)}&`}cursor=${encodeURIComponent(next)}`

/** For the row that the script clones and fills. */
const BLANK: PageVideo = {
  key: '',
  size: 0,
  type: '',
  digest: '',
  created: new Date(0).toISOString(),
  url: '',
}

const DATE = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeZone: 'UTC' })

function row(video: PageVideo, current: boolean, readOnly: boolean): Html {
  const { key, size, type, created } = video
  const date = DATE.format(new Date(created))
  return html`<li class="row"${videoAttributes(video)}>
<a class="open" href="${playPath(key)}"${current ? html` aria-current="true"` : null}>
<span class="text"><bdi class="name" title="${key}">${key}</bdi>
<span class="meta"><span class="size">${humanSize(size)}</span> · <time datetime="${created}">${date}</time></span></span>
<span class="tile">${icon(videoKind(type))}<span class="length"></span></span>
</a>
<a class="tool" href="${downloadPath(key)}" aria-label="Download ${key}" download>${icon('download')}</a>
${readOnly ? null : html`<button class="tool scripted" type="button" aria-label="Delete ${key}">${icon('delete')}</button>`}
</li>`
}
