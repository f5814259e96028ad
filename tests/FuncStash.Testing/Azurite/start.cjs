// Runs Azurite until told to stop, or until the test process that started it is gone.
//
// "stop" on standard input closes it in order, so that it saves what it holds in memory (it saves by itself only every
// five seconds). "forward 600000" puts its clock forward by so many milliseconds: leases of ten minutes have then run out.
// The end of standard input means that the test process died. With AZURITE_SAVES=always it answers no change before that is
// saved, and so keeps what it acknowledged even when it is killed.
const now = Date.now
let ahead = Number(process.env.AZURITE_CLOCK_AHEAD)
Date.now = () => now() + ahead
globalThis.Date = new Proxy(Date, {
  construct: (date, parts, target) => Reflect.construct(date, parts.length > 0 ? parts : [Date.now()], target)
})

const lines = require('node:readline').createInterface({ input: process.stdin })
lines.on('line', line => {
  if (line.startsWith('forward ')) {
    ahead += Number(line.slice('forward '.length))
    console.log(`Azurite is ${ahead} ms ahead`)
  }
  if (line !== 'stop') return
  lines.removeAllListeners('close')
  process.stdin.destroy()
  process.emit('SIGTERM')
})
lines.on('close', () => process.exit(1))

if (process.env.AZURITE_SAVES === 'always') {
  const Loki = require(require.resolve('lokijs', { paths: [require.resolve('azurite/package.json')] }))
  const { ServerResponse } = require('node:http')
  const databases = new Set()
  const { saveDatabase } = Loki.prototype
  Loki.prototype.saveDatabase = function (...parts) {
    databases.add(this)
    return saveDatabase.apply(this, parts)
  }
  const save = database => new Promise((resolve, reject) =>
    database.saveDatabase(error => (error ? reject(error) : resolve())))
  const { end } = ServerResponse.prototype
  ServerResponse.prototype.end = function (...parts) {
    if (this.req.method === 'GET') return end.apply(this, parts)
    Promise.all([...databases].map(save)).then(() => end.apply(this, parts), error => this.destroy(error))
    return this
  }
}

require('azurite/dist/src/azurite.js')
