/** Captions that belong to a video, and the end of their key: `.vtt` or `.de.vtt`. */
export interface MatchedCaptions<T> {
  readonly file: T
  readonly suffix: string
}

interface Named {
  readonly name: string
}

/**
 * Finds the video of each captions file among files that were chosen together: `clip.vtt`, `clip.de.vtt`, `clip.mp4.vtt` and
 * `clip.mp4.de.vtt` belong to `clip.mp4`.
 */
export function matchCaptions<V extends Named, C extends Named>(
  videos: readonly V[],
  captions: readonly C[],
): { readonly matched: ReadonlyMap<V, readonly MatchedCaptions<C>[]>; readonly rest: readonly C[] } {
  const matched = new Map<V, MatchedCaptions<C>[]>()
  const rest: C[] = []
  for (const file of captions) {
    const found = videos.flatMap((video) => {
      const suffix = suffixOf(video.name, file.name)
      return suffix === null ? [] : [{ video, suffix }]
    })
    const [first] = found
    if (first === undefined) rest.push(file)
    else matched.set(first.video, [...(matched.get(first.video) ?? []), { file, suffix: first.suffix }])
  }
  return { matched, rest }
}

function suffixOf(video: string, captions: string): string | null {
  const stem = video.replace(/\.[^.]+$/, '')
  for (const name of [video, stem]) {
    if (!captions.toLowerCase().startsWith(`${name.toLowerCase()}.`)) continue
    const suffix = captions.slice(name.length)
    if (/^(?:\.[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*)?\.vtt$/i.test(suffix))
      return suffix.replace(/vtt$/i, 'vtt')
  }
  return null
}
