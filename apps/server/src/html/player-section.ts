import { humanSize } from '../shared/human-size.ts'
import { downloadPath, type PageVideo, videoKind } from '../shared/video.ts'
import { type Html, hiddenUnless, html, videoAttributes } from './html.ts'
import { icon } from './icons.ts'

export interface Playing {
  readonly video: PageVideo
  /** The path of its captions, or `null` where it has none. */
  readonly captions: string | null
  /** Where it begins, in seconds. */
  readonly time: number
}

/** Which notes are hidden is all that the script has to change when another video or an error comes. */
export function playerSection(playing: Playing | null, readOnly: boolean): Html {
  const video = playing?.video ?? null
  const kind = video === null ? 'none' : videoKind(video.type)
  return html`<section class="player" id="player" aria-labelledby="playing"${video && videoAttributes(video)}>
<div class="stage" id="stage" data-kind="${kind}">
${icon(kind === 'none' ? 'video' : kind)}
${controller(playing)}
${notes(kind, video === null ? '' : downloadPath(video.key))}
<p class="flash" id="flash" aria-hidden="true"></p>
</div>
<div class="caption" id="caption"${hiddenUnless(video !== null)}>
<div class="title">
<h2 id="playing"><bdi>${video === null ? 'Player' : video.key}</bdi></h2>
<p class="meta" id="facts">${video && `${humanSize(video.size)} · ${video.type}`}</p>
</div>
${tools(video, readOnly)}
</div>
${requests(video !== null)}
</section>`
}

const SPEEDS = [0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2]

const speed = (rate: number): Html =>
  html`<option value="${rate}"${rate === 1 ? html` selected` : null}>${rate}×</option>`

/** Without script the elements of media-chrome are nothing, and the browser's own controls are there. */
function controller(playing: Playing | null): Html {
  const kind = playing === null ? 'file' : videoKind(playing.video.type)
  return html`<media-controller id="controller" nohotkeys${kind === 'audio' ? html` audio` : null}${hiddenUnless(kind !== 'file')}>
${playing && media(playing)}
<media-loading-indicator slot="centered-chrome" noautohide></media-loading-indicator>
<div class="controls">
<media-time-range></media-time-range>
<media-control-bar>
<media-play-button></media-play-button>
<media-mute-button></media-mute-button>
<media-volume-range></media-volume-range>
<media-time-display showduration notoggle></media-time-display>
<span class="spring"></span>
<media-captions-button></media-captions-button>
<select class="scripted" id="speed" aria-label="Speed">${SPEEDS.map(speed)}</select>
<media-pip-button></media-pip-button>
<media-fullscreen-button></media-fullscreen-button>
</media-control-bar>
</div>
</media-controller>`
}

function media({ video, captions, time }: Playing): Html | null {
  const kind = videoKind(video.type)
  if (kind === 'file') return null
  // A media fragment (https://www.w3.org/TR/media-frags/) needs no script.
  const src = `${video.url}${time > 0 ? `#t=${time}` : ''}`
  const track = captions === null ? null : html`<track kind="captions" label="Captions" src="${captions}">`
  return kind === 'video'
    ? html`<video slot="media" controls playsinline preload="metadata" src="${src}">${track}</video>`
    : html`<audio slot="media" controls preload="metadata" src="${src}">${track}</audio>`
}

function notes(kind: string, download: string): Html {
  return html`<p data-note="none"${hiddenUnless(kind === 'none')}>What you choose from the library plays here.</p>
<p data-note="file"${hiddenUnless(kind === 'file')}>Browsers do not play this type of file.
<a href="${download}" download>Download it</a> instead.</p>
<div data-note="codec" role="alert" hidden><p>This browser cannot play what is in this file, as far as it is one of
<span class="type"></span>. Files are sent as they are: <a href="${download}" download>download it</a> for another player,
or convert it and upload that.</p>
<p><code>ffmpeg -i <span class="key"></span> -c:v libx264 -c:a aac -movflags +faststart converted.mp4</code></p></div>
<p data-note="sound" role="status" hidden>This browser cannot show this file’s pictures, and plays its sound only.
<a href="${download}" download>Download it</a> for another player.</p>
<p data-note="network" role="alert" hidden>The connection was lost while the file was playing.
Choose it again, or <a href="${download}" download>download it</a>.</p>`
}

function tools(video: PageVideo | null, readOnly: boolean): Html {
  const captions = html`<button class="button scripted" type="button" id="captions">${icon('captions')}<span>Add captions</span></button>
<input type="file" id="captions-file" accept=".vtt,text/vtt" aria-label="Captions" hidden>`
  return html`<div class="tools">
<button class="button scripted" type="button" id="copy">${icon('link')}Copy link</button>
<a class="button" id="download" href="${video === null ? '' : downloadPath(video.key)}" download>${icon('download')}Download</a>
${readOnly ? null : captions}
</div>`
}

/** What a person would else open the browser's own tools for. */
function requests(shown: boolean): Html {
  return html`<details class="requests scripted" id="requests"${hiddenUnless(shown)}>
<summary>What happened</summary>
<p class="hint">The requests that your browser has made for this file, as the server saw them; the latest first.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Requests"><table>
<thead><tr><th scope="col">Time</th><th scope="col">Asked for</th><th scope="col">Answer</th><th scope="col">Sent</th></tr></thead>
<tbody></tbody>
</table></div>
</details>`
}
