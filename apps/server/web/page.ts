import './page.css'
import './player.css'
import { enableDelete } from './library/delete.ts'
import { enableAutoRefresh, enhanceLibrary } from './library/library.ts'
import { addCaptions, enableCaptions, isCaptions } from './player/captions.ts'
import { enhancePlayer } from './player/player.ts'
import { enableShare } from './player/share.ts'
import { enableSpeed } from './player/speed.ts'
import { enableTraces } from './player/trace-panel.ts'
import { maybe } from './shared/dom.ts'
import { enableKeys } from './shortcuts.ts'
import { enableDrop, enablePaste, enhanceForm } from './uploads/pick-files.ts'
import { enqueue, isInQueue } from './uploads/queue.ts'
import { listUnfinished } from './uploads/unfinished.ts'

// Before the library, whose rows show what plays.
enhancePlayer()
enhanceLibrary()
enableAutoRefresh()
enableDelete()
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
  // A page without tus-js-client can still show videos, and says so when a file is chosen.
  listUnfinished({ take: enqueue, has: isInQueue }).catch(() => {})
}
document.documentElement.classList.add('script')

/** Captions go to what plays, and all others into the queue. */
function take(files: Iterable<File>): void {
  const all = [...files]
  enqueue(all.filter((file) => !isCaptions(file)))
  for (const file of all) if (isCaptions(file)) void addCaptions(file)
}
