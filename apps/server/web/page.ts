import './page.css'
import { enableDrop, enablePaste, enhanceForm } from './choose.ts'
import { enableDelete } from './delete.ts'
import { maybe } from './dom.ts'
import { enhanceLibrary } from './library.ts'
import { enhancePlayer } from './player.ts'
import { listUnfinished } from './unfinished.ts'
import { enqueue, isInQueue, learnMemory } from './upload.ts'

// Before the library, whose rows show what plays.
enhancePlayer()
enhanceLibrary()
enableDelete()
for (const origin of document.querySelectorAll('.origin')) origin.textContent = location.origin
const form = maybe<HTMLFormElement>('#upload')
if (form !== null) {
  enhanceForm(form, enqueue)
  enableDrop(enqueue)
  enablePaste(enqueue)
  void learnMemory()
  // A page without its library can still show videos, and says so when a file is chosen.
  listUnfinished({ take: enqueue, has: isInQueue }).catch(() => {})
}
document.documentElement.classList.add('script')
