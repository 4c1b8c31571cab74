import { enableDrop, enhanceForm } from './choose.ts'
import { enableDelete } from './delete.ts'
import { maybe } from './dom.ts'
import { enhanceLibrary } from './library.ts'
import { enhancePlayer } from './player.ts'
import { enqueue } from './upload.ts'

// Before the library, whose rows show what plays.
enhancePlayer()
enhanceLibrary()
enableDelete()
for (const origin of document.querySelectorAll('.origin')) origin.textContent = location.origin
const form = maybe<HTMLFormElement>('#upload')
if (form !== null) {
  enhanceForm(form, enqueue)
  enableDrop(enqueue)
}
document.documentElement.classList.add('script')
