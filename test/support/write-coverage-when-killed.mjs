import { takeCoverage } from 'node:v8'

process.on('SIGUSR2', () => {
  takeCoverage()
  process.kill(process.pid, 'SIGKILL')
})
