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
  return html`<section class="player" id="player" aria-labelledby="playing"${video && videoAttributes(video)}${hiddenUnless(video !== null)}>
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

/** Only one of them is shown. */
function notes(kind: string, download: string): Html {
  const downloadLink = html`<a href="${download}" download>Download it</a>`
  return html`<p data-note="file"${hiddenUnless(kind === 'file')}>Browsers cannot play this type of file. ${downloadLink}.</p>
<div data-note="codec" role="alert" hidden><p>Your browser can’t play this file (<span class="type"></span>).
${downloadLink}, or convert it with:</p>
<p class="command"><code>ffmpeg -i <span class="key"></span> -c:v libx264 -c:a aac -movflags +faststart converted.mp4</code>
<button class="button" type="button" id="copy-command">Copy</button></p></div>
<p data-note="sound" role="status" hidden>Your browser can’t show the pictures of this file, only play its sound.
${downloadLink} for another player.</p>
<p data-note="network" role="alert" hidden>No connection — retrying …</p>
<p data-note="server" role="alert" hidden>The server cannot send this video at the moment — retrying …</p>
<p data-note="deleted" role="alert" hidden>This video was deleted. <a href="/">Show all videos</a></p>`
}

function tools(video: PageVideo | null, readOnly: boolean): Html {
  const captions = html`<button class="button scripted" type="button" id="captions">${icon('captions')}<span>Add captions</span></button>
<input type="file" id="captions-file" accept=".vtt,text/vtt" aria-label="Captions" hidden>`
  return html`<div class="tools">
<button class="button scripted" type="button" id="copy">${icon('link')}Copy link</button>
<button class="button scripted" type="button" id="copy-time" hidden>${icon('link')}<span>Copy link at 0:00</span></button>
<a class="button" id="download" href="${video === null ? '' : downloadPath(video.key)}" download>${icon('download')}Download</a>
${readOnly ? null : captions}
</div>`
}

/** The requests of the player, which otherwise only the developer tools of the browser show. */
function requests(shown: boolean): Html {
  return html`<details class="requests scripted" id="requests"${hiddenUnless(shown)}>
<summary>Request log</summary>
<p class="hint">Players read a video in parts: 206 is one part, and 304 means that the browser’s copy is still current. Latest first.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Requests of this video"><table>
<thead><tr><th scope="col">Time</th><th scope="col">Request</th><th scope="col">Response</th><th scope="col">Sent</th></tr></thead>
<tbody></tbody>
</table></div>
</details>`
}
