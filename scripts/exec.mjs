#!/usr/bin/env node
// `exec` for cmd.exe, which has none. In a POSIX shell the built-in makes npm's shell become the server, so that npm's
// SIGTERM reaches it and npm waits for it; here the server runs in this very process to the same end.
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const [, , , program, ...flags] = process.argv
process.argv = [process.execPath, resolve(program), ...flags]
await import(pathToFileURL(process.argv[1]).href)
