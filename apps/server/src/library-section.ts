import { type Html, html } from './html.ts'
import { humanSize } from './human-size.ts'
import { icon } from './icons.ts'
import { dataOf, downloadPath, hiddenUnless, kindOf, type PageVideo, playPath } from './page-video.ts'

export interface Library {
  /** One page of the list, in the order of keys. */
  readonly videos: readonly PageVideo[]
  /** The cursor of the next page, or `null` on the last. */
  readonly next: string | null
  /** The key of what plays. */
  readonly current: string | null
  /** Without delete. */
  readonly readOnly: boolean
}

export function librarySection({ videos, next, current, readOnly }: Library): Html {
  const nothing = readOnly
    ? 'Nothing has been published here yet.'
    : 'Nothing here yet. Your first upload will appear in this list.'
  const more = next === null ? '/' : `/?cursor=${encodeURIComponent(next)}`
  return html`<section class="library" aria-labelledby="library-title">
<h2 id="library-title" tabindex="-1">Library</h2>
<p class="empty" id="empty"${hiddenUnless(videos.length === 0)}>${nothing}</p>
<ul class="rows" id="rows" role="list">${videos.map((video) => row(video, video.key === current, readOnly))}</ul>
<a class="button more" id="more" href="${more}"${hiddenUnless(next !== null)}>Show more</a>
<template id="row">${row(BLANK, false, readOnly)}</template>
</section>`
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

function row(video: PageVideo, current: boolean, readOnly: boolean): Html {
  const { key, size, type, created } = video
  const date = DATE.format(new Date(created))
  return html`<li class="row"${dataOf(video)}>
<a class="open" href="${playPath(key)}"${current ? html` aria-current="true"` : null}>
<span class="tile">${icon(kindOf(type))}</span>
<span class="text"><bdi class="name" title="${key}">${key}</bdi>
<span class="meta"><span class="size">${humanSize(size)}</span> · <time datetime="${created}">${date}</time></span></span>
</a>
<a class="tool" href="${downloadPath(key)}" aria-label="Download ${key}" download>${icon('download')}</a>
${readOnly ? null : html`<button class="tool scripted" type="button" aria-label="Delete ${key}">${icon('delete')}</button>`}
</li>`
}
