import { captionsKey, type PageVideo, videoPath } from '../../src/shared/video.ts'
import { announce, maybe } from '../shared/dom.ts'
import { clearProblem, request, showProblem } from '../shared/notice.ts'
import { state } from '../shared/state.ts'
import { type Listing, toVideo } from '../shared/video.ts'
import { mediaElement } from './media.ts'

export const isCaptions = ({ name }: File): boolean => /\.vtt$/i.test(name)

/** Lets a person give the playing video captions. */
export function enableCaptions(): void {
  const button = maybe('#captions')
  const input = maybe<HTMLInputElement>('#captions-file')
  if (button === null || input === null) return
  button.addEventListener('click', () => input.click())
  input.addEventListener('change', () => {
    const [file] = input.files ?? []
    input.value = ''
    if (file !== undefined) void addCaptions(file)
  })
}

/** Stores captions of a video that is not on the stage; returns whether the server has accepted them. */
export async function storeCaptions(key: string, file: File): Promise<boolean> {
  return (await request(videoPath(key), { method: 'PUT', body: file })) !== null
}

export async function addCaptions(file: File): Promise<void> {
  const video = state.playing
  clearProblem()
  if (video === null) {
    showProblem({
      title: 'Captions for which video?',
      detail: `Choose it first, then drop ${file.name} again.`,
    })
    return
  }
  if (!(await storeCaptions(captionsKey(video.key), file))) return
  announce(`Captions of ${video.key} saved`)
  const media = mediaElement()
  if (media === null || state.playing !== video) return
  const track = await showCaptions(video, media)
  if (track !== null) track.track.mode = 'showing'
}

/** Asks the server, by a list: a HEAD for what is not there would be an error in the console. */
async function findCaptions(key: string): Promise<string | null> {
  const wanted = captionsKey(key)
  const response = await fetch(`/videos?companions=1&limit=1&prefix=${encodeURIComponent(wanted)}`).catch(
    () => null,
  )
  const listing: Listing | null = response?.ok ? await response.json().catch(() => null) : null
  const [item] = listing?.items ?? []
  return item?.key === wanted ? toVideo(item).url : null
}

/** Returns the track, or `null` if the video has no captions. */
export async function showCaptions(
  { key }: PageVideo,
  media: HTMLMediaElement,
): Promise<HTMLTrackElement | null> {
  labelCaptions(media)
  const url = await findCaptions(key)
  if (url === null || !media.isConnected) return null
  maybe('track', media)?.remove()
  const track = document.createElement('track')
  track.kind = 'captions'
  track.label = 'Captions'
  track.src = url
  media.append(track)
  labelCaptions(media)
  return track
}

/** Says on the button what it does. */
export function labelCaptions(media: HTMLMediaElement): void {
  const label = maybe('#captions span')
  if (label !== null) label.textContent = maybe('track', media) === null ? 'Add captions' : 'Replace captions'
}

/** Shows or hides the captions. Returns whether they are shown, or `null` if the video has no captions. */
export function toggleCaptions(media: HTMLMediaElement): boolean | null {
  const track = maybe<HTMLTrackElement>('track', media)?.track
  if (track === undefined) return null
  track.mode = track.mode === 'showing' ? 'hidden' : 'showing'
  return track.mode === 'showing'
}
