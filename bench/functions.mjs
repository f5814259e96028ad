#!/usr/bin/env node
// What FuncStash.Functions does and costs on a real Functions host: lateness, CPU, and every operation at the storage account.
//
//   FUNCSTASH_FUNC_START=COMMAND node bench/functions.mjs [OPTION VALUE...]
//
// COMMAND starts a host: it is called with the app's output folder and the port to listen on; without it `func start` is.
// --phases idle,plain,delayed,delayed100,retry,callback   which phases, in this order; also bucket (11 minutes) and kills
// --app DIR       the app's build output, such as an older version's; default src/FuncStash.Functions/bin/Release/net10.0
// --idle 120      seconds of the idle phase              --kills 10   how often host and app are killed in phase kills
// --set NAME=VALUE  a setting of host and app, such as AzureFunctionsJobHost__extensions__queues__maxPollingInterval=00:00:02
// --report NAME   also writes bench/reports/NAME.md
//
// The account is Azurite, each of its three services in a process of its own whose access log is counted. Everything listens on
// 127.0.0.1, lies in a temporary folder, and is ended by its id. Exit code: 0 when every message arrived, once and not early.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync, mkdirSync } from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const here = path.dirname(fileURLToPath(import.meta.url)), root = path.dirname(here)
const options = { phases: 'idle,plain,delayed,delayed100,retry,callback', idle: '120', kills: '10', report: '', set: [],
  app: path.join(root, 'src/FuncStash.Functions/bin/Release/net10.0') }
for (let i = 2; i < process.argv.length; i += 2) {
  const name = process.argv[i].replace(/^--/, ''), value = process.argv[i + 1]
  if (!(name in options) || value === undefined) throw new Error(`what is ${process.argv[i]}?`)
  if (name === 'set') options.set.push(value)
  else options[name] = value
}

const data = mkdtempSync(path.join(os.tmpdir(), 'funcstash-bench-')), children = new Set(), emulators = []
const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))
const account = 'bench', key = randomBytes(32).toString('base64')
const counts = { blob: new Map(), queue: new Map(), table: new Map() }

// Below those that the system gives to connections: a host takes a while before it listens.
const freePort = () => new Promise(resolve => {
  const port = 20_000 + Math.floor(Math.random() * 10_000)
  const server = net.createServer().on('error', () => resolve(freePort()))
  server.listen(port, '127.0.0.1', () => server.close(() => resolve(port)))
})

function start (command, args, env) {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  children.add(child)
  child.once('exit', () => children.delete(child))
  return child
}

// What an operation is called in the table: its method and what it is made on.
function nameOf (service, method, url) {
  const target = decodeURIComponent(url.split('?')[0]).split('/').slice(2).join('/'), query = url.split('?')[1] ?? ''
  if (service === 'queue') {
    const what = /\/messages\//.test(target) ? { PUT: 'update', DELETE: 'delete' }[method]
      : /\/messages$/.test(target) ? { POST: 'send', GET: /peekonly/.test(query) ? 'peek' : 'receive' }[method] : null
    return `${target.split('/')[0].replace(/-\d\d$/, '-N')} ${what ?? `${method} ${query.split('&')[0]}`}`
  }
  if (service === 'table') return `${target.replace(/\(.*/, '')} ${method}`
  return `${target.split('/')[0]} ${method} ${query.replace(/&.*/, '')}`
}

async function startAccount () {
  const ports = {}
  for (const service of Object.keys(counts)) {
    ports[service] = await freePort()
    const main = path.join(root, `tests/FuncStash.Testing/Azurite/node_modules/azurite/dist/src/${service}/main.js`)
    const child = start('node', [main, '--location', data, `--${service}Host`, '127.0.0.1', `--${service}Port`, ports[service],
      '--skipApiVersionCheck', '--disableTelemetry'], { AZURITE_ACCOUNTS: `${account}:${key}` })
    emulators.push(child.pid)
    createInterface({ input: child.stdout }).on('line', line => {
      const found = /"([A-Z]+) (\S+) HTTP/.exec(line)
      if (!found) return
      const name = nameOf(service, found[1], found[2])
      counts[service].set(name, (counts[service].get(name) ?? 0) + 1)
    })
    await listening(ports[service])
  }
  const address = service => `http://127.0.0.1:${ports[service]}/${account}`
  return `DefaultEndpointsProtocol=http;AccountName=${account};AccountKey=${key};BlobEndpoint=${address('blob')};` +
    `QueueEndpoint=${address('queue')};TableEndpoint=${address('table')};`
}

async function listening (port) {
  for (let i = 0; i < 300; i++) {
    const open = await new Promise(resolve => {
      const socket = net.connect(port, '127.0.0.1', () => { socket.destroy(); resolve(true) }).on('error', () => resolve(false))
    })
    if (open) return
    await sleep(100)
  }
  throw new Error(`nobody listens on ${port}`)
}

// Host and app.
const token = randomBytes(12).toString('hex'), signingKey = () => `sig_${randomBytes(14).toString('hex')}`
let connection, port, host
async function startHost () {
  const command = process.env.FUNCSTASH_FUNC_START
  host = start(command || 'func', command ? [options.app, port] : ['start', '--port', port], {
    AzureWebJobsStorage: connection, FUNCTIONS_WORKER_RUNTIME: 'dotnet-isolated', FUNCSTASH_TASK_HUB: 'FuncStash', QSTASH_TOKEN: token,
    QSTASH_CURRENT_SIGNING_KEY: signingKey(), QSTASH_NEXT_SIGNING_KEY: signingKey(),
    FUNCSTASH_ALLOW_PRIVATE_NETWORKS: 'true', FUNCSTASH_CHECK_HOSTS: 'false',
    ...Object.fromEntries(options.set.map(each => [each.slice(0, each.indexOf('=')), each.slice(each.indexOf('=') + 1)]))
  })
  let output = ''
  for (const stream of [host.stdout, host.stderr]) stream.on('data', text => { output = (output + text).slice(-5000) })
  for (let i = 0; i < 600; i++) {
    if (host.exitCode !== null) throw new Error(`the host ended: ${output}`)
    try {
      if ((await call('GET', '/v2/keys')).status === 200) return
    } catch {}
    await sleep(200)
  }
  throw new Error(`the host did not start: ${output}`)
}

const treeOf = pid => {
  const parents = new Map()
  for (const each of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
    try {
      parents.set(Number(each), Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${each}/stat`, 'utf8'))[1]))
    } catch {}
  }
  const all = [pid]
  for (const each of all) for (const [child, parent] of parents) if (parent === each) all.push(child)
  return all
}
// In milliseconds, of which a tick has ten.
const cpuOf = pids => pids.reduce((sum, pid) => {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
    return sum + (Number(fields[11]) + Number(fields[12])) * 10
  } catch { return sum }
}, 0)
const cpu = () => cpuOf(treeOf(host.pid)), accountCpu = () => cpuOf(emulators)

const agent = new http.Agent({ keepAlive: true, maxSockets: 64 })
const call = (method, target, headers = {}, body = '') => new Promise((resolve, reject) => {
  const request = http.request({ host: '127.0.0.1', port, method, path: target, agent,
    headers: { authorization: `Bearer ${token}`, ...headers }, timeout: 60_000 }, response => {
    let text = ''
    response.on('data', part => { text += part }).on('end', () => resolve({ status: response.statusCode, text }))
  })
  request.on('error', reject).on('timeout', () => request.destroy(new Error('no answer within a minute'))).end(body)
})

// The destination: notes what comes when. /fail refuses a message's first attempt.
const arrivals = []
const receiver = http.createServer((request, response) => {
  const at = Date.now()
  let text = ''
  request.on('data', part => { text += part }).on('end', () => {
    const retried = Number(request.headers['upstash-retried'] ?? 0)
    const id = request.url.startsWith('/back') ? JSON.parse(text).sourceMessageId : request.headers['upstash-message-id']
    arrivals.push({ id, url: request.url, retried, at })
    response.writeHead(request.url.startsWith('/fail') && retried === 0 ? 503 : 200).end('ok')
  })
}).listen(0, '127.0.0.1')
await new Promise(resolve => receiver.once('listening', resolve))
const url = name => `http://127.0.0.1:${receiver.address().port}/${name}`

const rows = [], details = []
let failed = false
const snapshot = () => Object.fromEntries(Object.entries(counts).map(([service, all]) => [service, new Map(all)]))
const since = before => Object.fromEntries(Object.entries(counts).map(([service, all]) =>
  [service, new Map([...all].map(([name, count]) => [name, count - (before[service].get(name) ?? 0)]).filter(([, count]) => count > 0))]))
const total = all => [...all.values()].reduce((a, b) => a + b, 0)
const at = (sorted, share) => sorted.length === 0 ? NaN : sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]

// Publishes so many at a rate, waits for all arrivals, and tells how late each was. The idle app's operations are taken off.
async function phase (name, { n, rate, path: target, headers = () => ({}), due, arrivalsEach = 1, patience = 120 }) {
  const before = snapshot(), cpuBefore = cpu(), accountBefore = accountCpu(), first = arrivals.length, began = Date.now(), sent = new Map()
  await Promise.all(Array.from({ length: n }, async (_, i) => {
    await sleep(i * 1000 / rate)
    for (;;) {
      try {
        const publishedAt = Date.now(), answer = await call('POST', `/v2/publish/${url(target)}`, { 'content-type': 'application/json', ...headers(i) }, `{"n":${i}}`)
        if (answer.status === 200) return sent.set(JSON.parse(answer.text).messageId, { i, publishedAt })
        if (answer.status < 500) throw new Error(answer.text)
      } catch (error) {
        if (name !== 'kills') throw error
      }
      await sleep(250)
    }
  }))
  const ofThese = () => arrivals.slice(first).filter(each => sent.has(each.id))
  const isLast = each => target === 'fail' ? each.retried === 1 : arrivalsEach === 1 || each.url.startsWith('/back')
  const missing = () => sent.size - new Set(ofThese().filter(isLast).map(each => each.id)).size
  for (const end = Date.now() + patience * 1000; missing() > 0 && Date.now() < end;) await sleep(100)
  await sleep(2000)
  const seconds = (Date.now() - began) / 1000, operations = since(before), used = cpu() - cpuBefore, usedByAccount = accountCpu() - accountBefore
  const starts = new Map(ofThese().filter(each => !isLast(each)).map(each => [each.id, each.at]))
  const late = ofThese().filter(isLast).map(each => each.at - due({ ...sent.get(each.id), started: starts.get(each.id) })).sort((a, b) => a - b)
  const doubles = ofThese().length - sent.size * (target === 'fail' ? 2 : arrivalsEach), early = late.filter(ms => ms < -1).length
  const idle = idlePerSecond ?? { blob: 0, queue: 0, table: 0 }
  const perMessage = service => ((total(operations[service]) - idle[service] * seconds) / n).toFixed(2)
  rows.push(`| ${name} | ${n} at ${rate}/s | ${at(late, 0.5)} | ${at(late, 0.99)} | ${at(late, 1)} | ${(used / n).toFixed(0)} | ${(usedByAccount / n).toFixed(0)} | ${perMessage('queue')} | ${perMessage('table')} | ${missing()} | ${doubles} | ${early} |`)
  details.push(`### ${name}\n\n${afterKills(ofThese(), sent)}${describe(operations)}`)
  console.log(rows.at(-1))
  failed ||= missing() > 0 || early > 0 || (name !== 'kills' && doubles > 0)
}

// When host and app were killed.
const kills = []
function afterKills (these, sent) {
  if (kills.length === 0) return ''
  const first = new Map()
  for (const each of these) first.set(each.id, Math.min(each.at, first.get(each.id) ?? Infinity))
  const waits = [...first].map(([id, at]) => {
    const hit = kills.find(killed => killed >= sent.get(id).publishedAt && killed < at)
    return hit ? at - hit : 0
  })
  const seconds = ms => (ms / 1000).toFixed(1)
  return `Killed ${kills.length} times in ${seconds(kills.at(-1) - kills[0])} s. All had arrived ${seconds(Math.max(...first.values()) - kills.at(-1))} s ` +
    `after the last time. ${waits.filter(wait => wait > 0).length} messages were published before a kill and arrived after it, at the latest ${seconds(Math.max(...waits))} s ` +
    `after the first such one.\n\n`
}

const describe = operations => Object.entries(operations).flatMap(([service, all]) =>
  [...all].sort((a, b) => b[1] - a[1]).slice(0, 12).map(([name, count]) => `- ${service}: ${name}: ${count}`)).join('\n')

let idlePerSecond
const inFive = { headers: () => ({ 'upstash-delay': '5s' }), path: 'hook', due: message => message.publishedAt + 5000 }
const phases = {
  async idle () {
    await sleep(75_000) // What is in hand for a minute after work, and the first of the minute's timers.
    const before = snapshot(), cpuBefore = cpu(), seconds = Number(options.idle)
    await sleep(seconds * 1000)
    const operations = since(before)
    idlePerSecond = Object.fromEntries(Object.entries(operations).map(([service, all]) => [service, total(all) / seconds]))
    const day = Math.round(Object.values(idlePerSecond).reduce((a, b) => a + b, 0) * 86_400)
    details.push(`### idle\n\n${day} operations a day; ${((cpu() - cpuBefore) / seconds).toFixed(1)} ms of CPU a second.\n\n${describe(operations)}`)
    console.log(`idle: ${day} operations a day (blob, queue, table a second: ${Object.values(idlePerSecond).map(each => each.toFixed(2))})`)
    console.log(describe(operations))
  },
  warm: () => phase('warm', { n: 100, rate: 20, path: 'hook', due: message => message.publishedAt }),
  plain: () => phase('plain', { n: 500, rate: 50, path: 'hook', due: message => message.publishedAt }),
  delayed: () => phase('delayed', { ...inFive, n: 500, rate: 50 }),
  delayed100: () => phase('delayed100', { ...inFive, n: 1000, rate: 100 }),
  retry: () => phase('retry', { n: 300, rate: 50, path: 'fail', headers: () => ({ 'upstash-retry-delay': '5000' }), due: message => message.started + 5000 }),
  callback: () => phase('callback', { n: 200, rate: 50, path: 'hook', arrivalsEach: 2, headers: () => ({ 'upstash-callback': url('back') }), due: message => message.started }),
  async bucket () {
    const minute = Math.ceil((Date.now() + 600_000) / 60_000) * 60
    const due = i => minute + i % 60
    await phase('bucket', { n: 2000, rate: 100, path: 'hook', patience: 800, headers: i => ({ 'upstash-not-before': `${due(i)}` }),
      due: message => due(message.i) * 1000 })
  },
  async kills () {
    const killing = (async () => {
      for (let i = 0; i < Number(options.kills); i++) {
        await sleep(8000)
        kills.push(Date.now())
        for (const pid of treeOf(host.pid).reverse()) process.kill(pid, 'SIGKILL')
        await startHost()
      }
    })()
    await phase('kills', { n: 2000, rate: 20, path: 'hook', patience: 150, due: message => message.publishedAt })
    await killing
  }
}

try {
  connection = await startAccount()
  port = await freePort()
  await startHost()
  await phases.warm()
  for (const name of options.phases.split(',')) await phases[name]()
} finally {
  if (host) for (const pid of treeOf(host.pid).reverse()) try { process.kill(pid, 'SIGKILL') } catch {}
  for (const child of children) child.kill('SIGKILL')
  receiver.close()
  receiver.closeAllConnections()
  rmSync(data, { recursive: true, force: true, maxRetries: 5 })
}
const report = `# Functions host: ${options.report || 'a run'}

${os.cpus().length} cores, load ${os.loadavg()[0].toFixed(1)} at the end. Late is arrival after due, in milliseconds, for a plain message after it was sent. CPU is of host and app
together, and of the account's three processes, in milliseconds a message. Operations are those of the account beyond what the idle app makes${idlePerSecond ? '' : ' (not measured in this run, so not taken off)'}.

| phase | messages | late p50 | p99 | most | CPU | of the account | queue | table | lost | twice | early |
|---|---|---|---|---|---|---|---|---|---|---|---|
${rows.join('\n')}

${details.join('\n\n')}
`
if (options.report) {
  mkdirSync(path.join(here, 'reports'), { recursive: true })
  writeFileSync(path.join(here, 'reports', `${path.basename(options.report, '.md')}.md`), report)
} else console.log(report)
process.exit(failed ? 1 : 0)
