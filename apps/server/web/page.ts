import './page.css'
import './library.css'
import './player.css'
import { enableDelete } from './library/delete.ts'
import { enableAutoRefresh, enhanceLibrary } from './library/library.ts'
import { enableView } from './library/view.ts'
import { addCaptions, enableCaptions, isCaptions } from './player/captions.ts'
import { enhancePlayer } from './player/player.ts'
import { enableShare } from './player/share.ts'
import { enableSpeed } from './player/speed.ts'
import { enableTraces } from './player/trace-panel.ts'
import { maybe } from './shared/dom.ts'
import { enableKeys } from './shortcuts.ts'
import { matchCaptions } from './uploads/match-captions.ts'
import { enableDrop, enablePaste, enhanceForm } from './uploads/pick-files.ts'
import { enableCancelAll, enableWatch, enqueue, isInQueue } from './uploads/queue.ts'
import { listUnfinished } from './uploads/unfinished.ts'

// Before the library, whose rows show what plays.
enhancePlayer()
enhanceLibrary()
enableAutoRefresh()
enableDelete()
enableView()
enableKeys()
enableSpeed()
enableShare()
enableTraces()
for (const origin of document.querySelectorAll('.origin')) origin.textContent = location.origin
const form = maybe<HTMLFormElement>('#upload')
if (form !== null) {
  enhanceForm(form, take)
  enableDrop(take)
  enablePaste(take)
  enableCaptions()
  enableCancelAll()
  enableWatch()
  // A page without tus-js-client can still show videos, and says so when a file is chosen.
  listUnfinished({ take: enqueue, has: isInQueue }).catch(() => {})
}

/** Captions belong to a video that is chosen with them, by its name, or else to the one that plays. */
function take(files: Iterable<File>): void {
  const all = [...files]
  const captions = all.filter(isCaptions)
  const videos = all.filter((file) => !isCaptions(file))
  const { matched, rest } = matchCaptions(videos, captions)
  enqueue(videos, matched)
  for (const file of rest) void addCaptions(file)
}
