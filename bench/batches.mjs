#!/usr/bin/env node
// How long a server's other requests take while a batch of 50 MB comes in, in milliseconds.
//
//   node bench/batches.mjs BASE TOKEN     a server that is running, and may deliver to 127.0.0.1
//
// One request after the other, each 5 ms after the last: publishes, a list and /health by turns. Ten turns: 4 s with no batch, 6 s with
// one to a program that only reads it, which is what the machine makes of so many bytes, and 6 s with one to the server; then three of
// 4 s with none and 6 s with batches that follow each other. A process of its own sends them: 100 messages of 500 kB, due in an hour.
// Figures are of all turns together. Exit code: 0 when every request was answered with 200.
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
    console.log('taken')
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

  const situations = new Map()
  const timesOf = (name, kind) => {
    const key = `${name} | ${kind}`
    if (!situations.has(key)) situations.set(key, [])
    return situations.get(key)
  }

  // The situation may change while it goes on.
  async function round(seconds, situation) {
    for (const end = performance.now() + seconds * 1000; performance.now() < end;) {
      for (const kind in kinds) {
        const names = situation(), start = performance.now()
        await kinds[kind]()
        for (const name of names) timesOf(name, kind).push(performance.now() - start)
        await pause(5)
      }
    }
  }

  async function beside(name, role, to) {
    const sender = start(role, destination, to)
    const ended = new Promise(resolve => sender.child.on('exit', resolve))
    await sender.ready
    let underWay = role === 'once'
    sender.child.stdout.once('data', () => { underWay = false })
    await round(6, () => underWay ? [name, `${name}, until it was taken`] : [name])
    sender.child.kill()
    if (await ended) throw new Error('a batch was not taken')
    await pause(1000)
  }

  const alone = () => round(4, () => ['none'])
  await round(15, () => [])
  for (let turn = 0; turn < 10; turn++) {
    await alone()
    await beside('one, elsewhere', 'once', elsewhere)
    await beside('one', 'once', base)
  }
  for (let turn = 0; turn < 3; turn++) {
    await alone()
    await beside('one after the other', 'on', base)
  }
  const at = (times, share) => times.sort((a, b) => a - b)[Math.min(times.length - 1, Math.floor(times.length * share))]
  console.log('| batches | request | requests | p50 | p90 | p99 | longest | p99 ÷ that with none |\n|---|---|---:|---:|---:|---:|---:|---:|')
  for (const [key, times] of situations) {
    const figures = [at(times, 0.5), at(times, 0.9), at(times, 0.99), at(times, 1), at(times, 0.99) / at(timesOf('none', key.split(' | ')[1]), 0.99)]
    console.log(`| ${key} | ${times.length} | ${figures.map(n => n.toFixed(1)).join(' | ')} |`)
  }
  reader.child.kill()
  process.exit(0)
}

if (role === 'reader') console.log(await receive())
else await (role ? send() : measure())
