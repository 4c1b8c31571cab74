// A FileHandle that nothing refers to any more is closed by the garbage collector, which later versions of Node treat as an
// error (DEP0137). Here it fails the run.
function failOnLeakedFile(warning: Error): void {
  if (/on garbage collection/.test(warning.message)) throw warning
}

// A worker runs this again before each file.
if (!process.listeners('warning').some(({ name }) => name === failOnLeakedFile.name)) {
  process.on('warning', failOnLeakedFile)
}
