// Runs Azurite until told to stop, or until the test process that started it is gone.
//
// "stop" on standard input closes it in order, so that it saves what it holds in memory (it saves by itself only every
// five seconds). The end of standard input means that the test process died.
const lines = require('node:readline').createInterface({ input: process.stdin })
lines.on('line', line => {
  if (line !== 'stop') return
  lines.removeAllListeners('close')
  process.stdin.destroy()
  process.emit('SIGTERM')
})
lines.on('close', () => process.exit(1))

require('azurite/dist/src/azurite.js')
