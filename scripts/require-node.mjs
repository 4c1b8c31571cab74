// Runs before anything is installed, so that an old Node gets this line and not a syntax error from deep inside a tool.
const [major, minor] = process.versions.node.split('.').map(Number)
const supported = (major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22
if (!supported) {
  console.error(
    `Node ${process.versions.node} is too old or was never stable: this project needs Node 20.19+, 22.12+ or newer.`,
  )
  process.exit(1)
}
