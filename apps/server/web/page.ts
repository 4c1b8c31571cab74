import './page.css'
import './player.css'
import { addCaptions, enableCaptions, isCaptions } from './captions.ts'
import { enableDrop, enablePaste, enhanceForm } from './choose.ts'
import { enableDelete } from './delete.ts'
import { maybe } from './dom.ts'
import { keepFresh } from './freshness.ts'
import { enableKeys } from './keys.ts'
import { enhanceLibrary } from './library.ts'
import { enhancePlayer } from './player.ts'
import { enableRequests } from './requests.ts'
import { enableShare } from './share.ts'
import { enableSpeed } from './speed.ts'
import { listUnfinished } from './unfinished.ts'
import { enqueue, isInQueue, learnMemory } from './upload.ts'

// Before the library, whose rows show what plays.
enhancePlayer()
enhanceLibrary()
keepFresh()
enableDelete()
enableKeys()
enableSpeed()
enableShare()
enableRequests()
for (const origin of document.querySelectorAll('.origin')) origin.textContent = location.origin
const form = maybe<HTMLFormElement>('#upload')
if (form !== null) {
  enhanceForm(form, take)
  enableDrop(take)
  enablePaste(take)
  enableCaptions()
  void learnMemory()
  // A page without its library can still show videos, and says so when a file is chosen.
  listUnfinished({ take: enqueue, has: isInQueue }).catch(() => {})
}
document.documentElement.classList.add('script')

/** Captions go to what plays, and all others into the queue. */
function take(files: Iterable<File>): void {
  const all = [...files]
  enqueue(all.filter((file) => !isCaptions(file)))
  for (const file of all) if (isCaptions(file)) void addCaptions(file)
}
