import { humanSize } from '../shared/human-size.ts'
import { type Html, html } from './html.ts'
import { icon } from './icons.ts'

/** The form that works without script, and what the script shows of each file that it sends in its place. */
export function uploadSection(limits: { readonly maxFileSize: number; readonly accept: string }): Html {
  const { maxFileSize, accept } = limits
  // The token */* is not in the grammar of the attribute: to accept everything is to leave it out.
  const accepted = accept === '*/*' ? null : html` accept="${accept}"`
  return html`<section class="upload" aria-labelledby="upload-title">
<h2 class="unseen" id="upload-title">Upload</h2>
<form id="upload" method="post" action="/video" enctype="multipart/form-data" data-max-file-size="${maxFileSize}">
<input class="unscripted" type="file" name="file" aria-label="File to upload" aria-describedby="limit"${accepted} required>
<button class="button primary">${icon('upload')}<span class="scripted">Choose files</span><span class="unscripted">Upload</span></button>
<p class="hint"><span class="scripted">Or drop them anywhere on this page.</span>
<span id="limit">Up to ${humanSize(maxFileSize)} per file.</span></p>
</form>
<div class="overall" id="overall" hidden>
<p class="meta"><span class="state"></span></p>
<button class="button" type="button" id="cancel-all">Cancel all</button>
<progress max="1" value="0" aria-label="All uploads"></progress>
</div>
<ol class="queue" id="queue" role="list" aria-label="Uploads"></ol>
<template id="job">${job()}</template>
<template id="unfinished">${unfinished(accepted)}</template>
</section>`
}

function job(): Html {
  return html`<li class="job">
<div class="job-head"><bdi class="name"></bdi>
<button class="tool toggle" type="button">${icon('pause')}</button>
<button class="tool cancel" type="button">${icon('close')}</button></div>
<progress max="1" value="0"></progress>
<p class="meta"><span class="state"></span><span class="amount"></span></p>
<p class="finished" hidden><span class="result"></span><a class="button watch" href="/">Watch</a></p>
<div class="error" role="alert"></div>
</li>`
}

/** An upload of an earlier visit: a page that has been reloaded may not read the file any more. */
function unfinished(accepted: Html | null): Html {
  return html`<li class="job" data-state="unfinished">
<div class="job-head"><bdi class="name"></bdi>
<button class="tool cancel" type="button">${icon('close')}</button></div>
<progress max="1" value="0"></progress>
<div class="state-line"><p class="meta state"></p>
<input type="file" hidden${accepted}>
<button class="button choose" type="button">Choose file</button></div>
<div class="error" role="alert"></div>
</li>`
}
