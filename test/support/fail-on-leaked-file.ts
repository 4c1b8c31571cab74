// A FileHandle that nothing refers to any more is closed by the garbage collector, which later versions of Node treat as an
// error (DEP0137). Here it fails the run.
process.on('warning', (warning) => {
  if (/on garbage collection/.test(warning.message)) throw warning
})
