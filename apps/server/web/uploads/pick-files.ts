import { get } from '../shared/dom.ts'

type Take = (files: Iterable<File>) => void

export function enhanceForm(form: HTMLFormElement, take: Take): void {
  const input = get<HTMLInputElement>('input', form)
  const button = get<HTMLButtonElement>('button', form)
  input.multiple = true
  button.type = 'button'
  button.addEventListener('click', () => input.click())
  input.addEventListener('change', () => {
    take([...(input.files ?? [])])
    // The same file may be chosen again.
    input.value = ''
  })
}

export function enableDrop(take: Take): void {
  const dragging = (on: boolean): boolean => document.documentElement.classList.toggle('dragging', on)
  const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') ?? false
  const over = (event: DragEvent): void => {
    if (!hasFiles(event)) return
    event.preventDefault()
    dragging(true)
  }
  addEventListener('dragenter', over)
  addEventListener('dragover', over)
  addEventListener('dragleave', ({ relatedTarget }) => relatedTarget === null && dragging(false))
  addEventListener('drop', (event) => {
    if (!hasFiles(event)) return
    event.preventDefault()
    dragging(false)
    take(event.dataTransfer?.files ?? [])
  })
}

/** Files from the clipboard, e.g. of a file manager; what is typed or pasted as text is left alone. */
export function enablePaste(take: Take): void {
  addEventListener('paste', ({ clipboardData }) => {
    const files = [...(clipboardData?.files ?? [])]
    if (files.length > 0) take(files)
  })
}
