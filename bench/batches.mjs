#!/usr/bin/env node
// How long a server's other requests take while batches of 50 MB come in, side by side with none, in milliseconds.
//
//   node bench/batches.mjs BASE TOKEN     a server that is running, and may deliver to 127.0.0.1
//
// One request after the other, each 5 ms after the last: publishes, a list and /health by turns. Rounds of 4 s alone and 6 s beside:
// three with one batch within the 6 s to a program that only reads it, which is what the machine makes of so many bytes; three with one
// batch to the server; three with batches that follow each other. A process of its own sends them: 100 messages of 500 kB, due in an
// hour. Exit code: 0 when every request was answered with 200.
import { spawn } from 'node:child_process'
import http from 'node:http'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'

const [base, token, role, sink, to] = process.argv.slice(2)
if (!token) throw new Error('node bench/batches.mjs BASE TOKEN')
const agent = new http.Agent({ keepAlive: true })
const pause = ms => new Promise(resolve => setTimeout(resolve, ms))

function call(method, path, body, server = base) {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, ...body && { 'content-type': 'application/json', 'content-length': body.length } }
    const request = http.request(new URL(path, server), { method, agent, headers }, answer => {
      answer.resume()
      answer.on('end', () => answer.statusCode === 200 ? resolve() : reject(new Error(`${method} ${path}: ${answer.statusCode}`)))
    })
    request.on('error', reject)
    request.end(body)
  })
}

async function send() {
  const item = { destination: sink, body: 'x'.repeat(500_000), headers: { 'Upstash-Delay': '1h' } }
  const batch = Buffer.from(JSON.stringify(Array(100).fill(item)))
  console.log('ready')
  for (; ;) {
    await call('POST', '/v2/batch', batch, to)
    if (role === 'once') return
    await pause(300)
  }
}

// Reads what it is sent, and answers 200.
async function receive() {
  const receiver = http.createServer((request, answer) => request.resume().on('end', () => answer.end()))
  await new Promise(resolve => receiver.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${receiver.address().port}/`
}

function start(...args) {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), base, token, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  return { child, ready: new Promise(resolve => child.stdout.once('data', data => resolve(data.toString().trim()))) }
}

async function measure() {
  const destination = await receive()
  const reader = start('reader')
  const elsewhere = await reader.ready
  const kinds = {
    publish: () => call('POST', `/v2/publish/${destination}`, Buffer.from('{"n":1}')),
    list: () => call('GET', '/v2/queues'),
    health: () => call('GET', '/health'),
  }

  async function round(seconds) {
    const times = Object.fromEntries(Object.keys(kinds).map(kind => [kind, []]))
    for (const end = performance.now() + seconds * 1000; performance.now() < end;) {
      for (const kind in kinds) {
        const start = performance.now()
        await kinds[kind]()
        times[kind].push(performance.now() - start)
        await pause(5)
      }
    }
    return times
  }

  const at = (times, share) => times.sort((a, b) => a - b)[Math.min(times.length - 1, Math.floor(times.length * share))]
  await round(4)
  console.log('| batches | request | alone p50 | p99 | beside p50 | p99 | longest | p99 beside ÷ alone |\n|---|---|---:|---:|---:|---:|---:|---:|')
  const rounds = [['one, elsewhere', 'once', elsewhere], ['one', 'once', base], ['one after the other', 'on', base]]
  for (const [name, role, to] of rounds.flatMap(round => [round, round, round])) {
    const alone = await round(4)
    const sender = start(role, destination, to)
    const ended = new Promise(resolve => sender.child.on('exit', resolve))
    await sender.ready
    const beside = await round(6)
    sender.child.kill()
    if (await ended) throw new Error('a batch was not taken')
    for (const kind in kinds) {
      const [a, b] = [alone[kind], beside[kind]]
      const figures = [at(a, 0.5), at(a, 0.99), at(b, 0.5), at(b, 0.99), at(b, 1), at(b, 0.99) / at(a, 0.99)]
      console.log(`| ${name} | ${kind} | ${figures.map(n => n.toFixed(1)).join(' | ')} |`)
    }
    await pause(1000)
  }
  reader.child.kill()
  process.exit(0)
}

if (role === 'reader') console.log(await receive())
else await (role ? send() : measure())
