// Serves the workflows of flows.mjs with the real SDK, and tells what became of them. QSTASH_URL and QSTASH_TOKEN say which
// server they run against. Prints {"url": "…"} once it listens, on a port that the system chooses.
//   /flow/NAME, /express/NAME   a workflow; the latter by the Express adapter, behind a body parser
//   /adapter/ADAPTER/NAME       the same by another adapter
//   GET  /record/RUN            what the run's deliveries carried, which of its steps ran when, and which were acknowledged when
//   GET  /count                 how many runs have returned
//   POST /mend/KEY              lets the step of `failing` work
//   POST /call                  {"call": "dlq.resume", "args": […]}: a method of the SDK's client
import { createServer } from "node:http";
import express from "express";
import { Client, serve } from "@upstash/workflow";
import { serve as serveExpress } from "@upstash/workflow/express";
import { adapters, nodeAdapters } from "./adapters.mjs";
import { flows, mended, targets } from "./flows.mjs";
import { acknowledged, deliveryOf, recordOf, returned, watchSubmissions } from "./record.mjs";

// The SDK reports on the console; stdout belongs to the tests.
console.log = console.info = console.warn = console.error = () => {};
watchSubmissions();

const { QSTASH_URL: baseUrl, QSTASH_TOKEN: token } = process.env;
const client = new Client({ baseUrl, token });
const handlers = Object.fromEntries(Object.entries(flows).map(([name, { run, ...options }]) => [name, serve(run, options).handler]));

const app = express();
app.use(express.json({ limit: "50mb" }));
app.use((request, _, next) => (deliveryOf(request, request.body, JSON.stringify(request.body)?.length), next()));
for (const [name, { run, ...options }] of Object.entries(flows)) app.use(`/express/${name}`, serveExpress(run, options));

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function deliver(handler, request, response) {
  const body = await bodyOf(request), url = `http://${request.headers.host}${request.url}`;
  const delivery = deliveryOf(request, parse(body), body.length);
  const headers = Object.entries(request.headers).flatMap(([key, value]) => [value].flat().map((one) => [key, one]));
  const answer = await handler(new Request(url, { method: request.method, headers, body }));
  delivery.status = answer.status;
  response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(Buffer.from(await answer.arrayBuffer()));
}

async function adapt(adapter, name, request, response) {
  const { run, ...options } = flows[name];
  if (adapters[adapter]) return deliver(adapters[adapter](run, options), request, response);
  request.headers["x-forwarded-proto"] = "http";
  await nodeAdapters[adapter](run, options)(request, response);
}

async function call(request) {
  const { call: path, args } = JSON.parse(await bodyOf(request));
  const steps = path.split("."), method = steps.pop();
  let target = client;
  for (const step of steps) target = target[step];
  return (await target[method](...args)) ?? null;
}

const server = createServer(async (request, response) => {
  const { pathname } = new URL(request.url, "http://localhost"), [, kind, name, flow] = pathname.split("/");
  const json = (status, value) => response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(value));
  try {
    if (kind === "express") app(request, response);
    else if (kind === "flow") await deliver(handlers[name], request, response);
    else if (kind === "adapter") await adapt(name, flow, request, response);
    else if (kind === "target") await targets[name](await bodyOf(request), request, response);
    else if (kind === "record") json(200, recordOf(decodeURIComponent(name)));
    else if (kind === "count") json(200, { returned: returned.size, acknowledged: acknowledged.size });
    else if (kind === "mend") json(200, { mended: mended.add(name).size });
    else if (kind === "call") json(200, await call(request));
    else json(404, {});
  } catch (error) {
    json(500, { name: error.name, message: error.message, status: error.status });
  }
});
server.listen(0, "127.0.0.1", () => {
  process.env.APP_URL = `http://127.0.0.1:${server.address().port}`;
  process.stdout.write(JSON.stringify({ url: process.env.APP_URL }) + "\n");
});
// The tests are gone.
process.stdin.on("end", () => process.exit()).resume();

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
