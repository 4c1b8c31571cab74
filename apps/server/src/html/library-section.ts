import { findMatch } from '../shared/find-match.ts'
import { humanSize } from '../shared/human-size.ts'
import {
  countText,
  downloadPath,
  ORDERS,
  type Order,
  type PageVideo,
  playPath,
  videoKind,
} from '../shared/video.ts'
import { type Html, hiddenUnless, html, videoAttributes } from './html.ts'
import { icon } from './icons.ts'

export interface Library {
  /** One page of the list. */
  readonly videos: readonly PageVideo[]
  /** The cursor of the next page, or `null` on the last. */
  readonly next: string | null
  /** All videos of the list; `null` if the store would have to read all of them. */
  readonly total: { readonly count: number; readonly size: number } | null
  /** What all names contain; empty: anything. */
  readonly contains: string
  readonly order: Order
  /** Why the list is in another order than was asked for, or `null`. */
  readonly limitation: string | null
  /** The key of the video that plays. */
  readonly current: string | null
  /** Without delete. */
  readonly readOnly: boolean
}

export function librarySection(library: Library): Html {
  const { videos, next, total, contains, order, limitation, current, readOnly } = library
  const isEmpty = videos.length === 0
  return html`<section class="library" id="library" aria-labelledby="library-title">
<div class="library-head">
<h2 id="library-title" tabindex="-1">Library</h2>
<p class="meta" id="count">${total === null ? '' : countText(total.count, humanSize(total.size))}</p>
<form class="search" id="search" role="search" action="/">
<span class="field">${icon('search')}
<input type="search" name="contains" value="${contains}" placeholder="Search" aria-label="Search for a part of a name" autocomplete="off"></span>
<select name="order" id="order" aria-label="Sort by">${ORDERS.map(([value, label]) => option(value, label, order))}</select>
<button class="button unscripted">Show</button>
<button class="tool scripted" type="button" id="view" aria-pressed="false" aria-label="Show as a list" title="Show as a list">${icon('list')}</button>
</form>
</div>
<p class="hint" id="limitation"${hiddenUnless(limitation !== null)}>${limitation}</p>
${emptyNote(isEmpty && contains === '', readOnly)}
<p class="empty" id="unfound"${hiddenUnless(isEmpty && contains !== '')}>No results for “<bdi>${contains}</bdi>”.</p>
<ul class="rows" id="rows" role="list">${videos.map((video) => row(video, { isCurrent: video.key === current, contains, readOnly }))}</ul>
<a class="button more" id="more" href="${morePath(library, next)}"${hiddenUnless(next !== null)}>Show more</a>
<template id="row">${row(BLANK, { isCurrent: false, contains: '', readOnly })}</template>
</section>`
}

const option = (value: Order, label: string, order: Order): Html =>
  html`<option value="${value}"${value === order ? html` selected` : null}>${label}</option>`

function emptyNote(isShown: boolean, readOnly: boolean): Html {
  const text = readOnly
    ? html`<p>There are no videos here yet.</p>`
    : html`<p><strong>No videos yet</strong></p><p>Choose files above, or drop them anywhere on this page.</p>`
  return html`<div class="empty invitation" id="empty"${hiddenUnless(isShown)}>${icon('video')}${text}</div>`
}

function morePath({ contains, order }: Library, next: string | null): string {
  if (next === null) return '/'
  const query = new URLSearchParams({ ...(contains === '' ? {} : { contains }), order, cursor: next })
  return `/?${query}`
}

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

function row(
  video: PageVideo,
  show: { readonly isCurrent: boolean; readonly contains: string; readonly readOnly: boolean },
): Html {
  const { key, size, type, created } = video
  const date = DATE.format(new Date(created))
  return html`<li class="row"${videoAttributes(video)}>
<a class="open" href="${playPath(key)}"${show.isCurrent ? html` aria-current="true"` : null}>
<span class="text"><bdi class="name" title="${key}">${marked(key, show.contains)}</bdi>
<span class="meta"><span class="size">${humanSize(size)}</span> · <time datetime="${created}">${date}</time></span></span>
<span class="tile">${icon(videoKind(type))}<span class="length"></span></span>
</a>
<a class="tool" href="${downloadPath(key)}" aria-label="Download ${key}" download>${icon('download')}</a>
${show.readOnly ? null : html`<button class="tool scripted" type="button" aria-label="Delete ${key}">${icon('delete')}</button>`}
</li>`
}

/** Marks the part of a name that the search has found. */
function marked(key: string, contains: string): Html {
  const match = findMatch(key, contains)
  if (match === null) return html`${key}`
  const { start, end } = match
  return html`${key.slice(0, start)}<mark>${key.slice(start, end)}</mark>${key.slice(end)}`
}
