// Makes calls with the official SDK against a listener of its own and prints the requests as JSON: method, target, the
// headers that mean something to the service, body. Each has a name, under which RecordedCallsTests.cs makes the same call.
import { createServer } from "node:http";
import { Client } from "@upstash/qstash";

// The SDK reports on the console; stdout belongs to the recording.
console.log = console.info = console.warn = console.error;

const url = "https://api.example.com/hooks/orders?source=shop&n=1";
const json = { id: 42, name: "chair" };
const from = new Date(1767225600000);

const calls = {
  "publish": (c) => c.publish({ url, body: "hello" }),
  "publish without a body": (c) => c.publish({ url: "https://api.example.com" }),
  "publish bytes": (c) => c.publish({ url, body: new Uint8Array([0, 255, 254, 128]) }),
  "publish JSON": (c) => c.publishJSON({ url, body: json }),
  "publish JSON to a group": (c) => c.publishJSON({ urlGroup: "orders", body: json }),
  "publish with everything": (c) => c.publish({
    url, body: "<a/>", method: "PUT",
    headers: { "Content-Type": "application/xml", "X-Tenant": "acme", "Authorization": "Bearer theirs" },
    delay: 90, notBefore: 1767225600, deduplicationId: "order-42", retries: 5, retryDelay: "1000 * (1 + retried)",
    callback: "https://api.example.com/done", failureCallback: "https://api.example.com/failed?x=1", timeout: 1.5,
    flowControl: { key: "acme", parallelism: 3, rate: 5, period: 60 }, label: ["billing", "eu"],
    redact: { body: true, header: ["Authorization", "X-Tenant"] },
  }),
  "publish with content-based deduplication": (c) => c.publish({ url, body: "hello", contentBasedDeduplication: true }),
  "publish with no retries": (c) => c.publish({ url, body: "hello", retries: 0 }),
  "publish with a rate alone": (c) => c.publish({ url, flowControl: { key: "k", rate: 10 } }),
  "publish with all headers redacted": (c) => c.publish({ url, redact: { header: true } }),
  "publish with settings by name": (c) => c.publish({
    url, callback: "https://api.example.com/done",
    headers: { "Upstash-Callback-Retries": "1", "Upstash-Callback-Forward-X-Tenant": "acme", "Upstash-Callback-Method": "PUT" },
  }),
  "publish a GET": (c) => c.publish({ url, method: "GET" }),
  "enqueue": (c) => c.queue({ queueName: "mail" }).enqueue({ url, body: "hello", retries: 1 }),
  "enqueue JSON": (c) => c.queue({ queueName: "mail" }).enqueueJSON({ url, body: json, delay: 10 }),
  "enqueue to a group": (c) => c.queue({ queueName: "mail" }).enqueueJSON({ urlGroup: "orders", body: json }),
  "batch": (c) => c.batchJSON([
    { url, body: json, retries: 2, headers: { "X-Tenant": "acme" } },
    { urlGroup: "orders", body: json, label: "a" },
    { url, body: json, queueName: "mail", deduplicationId: "d1" },
  ]),
  "batch of texts with a type": (c) => c.batch([{ url, body: "größe <&>", headers: { "Content-Type": "text/csv" } }, { url }]),
  "get a message": (c) => c.messages.get("msg_1"),
  "cancel a message": (c) => c.messages.cancel("msg_1"),
  "cancel messages": (c) => c.messages.cancel(["msg_1", "msg_2"]),
  "cancel by filter": (c) => c.messages.cancel({
    filter: {
      url: ["https://a.example.com/x?y=1,2", "https://b.example.com"], urlGroup: "orders", scheduleId: "nightly", queueName: ["mail", "sms"],
      label: "billing", flowControlKey: "acme", callerIp: "203.0.113.9", host: "a.example.com", path: ["/x", "/y z"],
      fromDate: from, toDate: 1767225700000,
    },
    count: 50,
  }),
  "cancel everything": (c) => c.messages.cancel({ all: true }),
  "list the dead letters": (c) => c.dlq.listMessages(),
  "list dead letters by filter": (c) => c.dlq.listMessages({
    filter: { messageId: "msg_1", url: ["https://a.example.com"], responseStatus: [404, 500], label: ["a", "b"], fromDate: from },
    count: 20, cursor: "1767225612000-1",
  }),
  "retry a dead letter": (c) => c.dlq.retry("1767225612000-0"),
  "retry dead letters": (c) => c.dlq.retry(["1767225612000-0", "1767225612000-1"]),
  "retry dead letters by filter": (c) => c.dlq.retry({ filter: { label: "billing", responseStatus: 503 }, count: 10 }),
  "retry all dead letters": (c) => c.dlq.retry({ all: true }),
  "delete a dead letter": (c) => c.dlq.delete("1767225612000-0"),
  "delete dead letters": (c) => c.dlq.delete(["1767225612000-0", "1767225612000-1"]),
  "delete dead letters by filter": (c) => c.dlq.delete({ filter: { queueName: "mail" } }),
  "delete all dead letters": (c) => c.dlq.delete({ all: true }),
  "read the log": (c) => c.logs(),
  "read the log of messages": (c) => c.logs({ messageIds: ["msg_1", "msg_2"] }),
  "read the log by filter": (c) => c.logs({
    filter: { state: "DELIVERED", url: "https://a.example.com", label: ["a", "b"], host: "a.example.com", path: "/x", fromDate: from, toDate: from },
    count: 30, cursor: "1686652644442-12",
  }),
  "create a schedule": (c) => c.schedules.create({ destination: "https://api.example.com/nightly", cron: "0 4 * * *", body: JSON.stringify(json) }),
  "create a schedule with everything": (c) => c.schedules.create({
    destination: "orders", cron: "CRON_TZ=Europe/Oslo */10 * * * *", body: JSON.stringify(json), method: "PATCH", headers: { "X-Tenant": "acme" },
    delay: 10, retries: 2, retryDelay: "5000", callback: "https://api.example.com/done", failureCallback: "https://api.example.com/failed",
    timeout: 30, scheduleId: "nightly", queueName: "mail", flowControl: { key: "acme", parallelism: 1 }, label: "night", redact: { body: true },
  }),
  "get a schedule": (c) => c.schedules.get("nightly"),
  "list schedules": (c) => c.schedules.list(),
  "pause a schedule": (c) => c.schedules.pause({ schedule: "nightly" }),
  "resume a schedule": (c) => c.schedules.resume({ schedule: "nightly" }),
  "delete a schedule": (c) => c.schedules.delete("nightly"),
  "create a queue": (c) => c.queue({ queueName: "mail" }).upsert({ parallelism: 3, paused: true }),
  "create a plain queue": (c) => c.queue({ queueName: "mail" }).upsert({}),
  "get a queue": (c) => c.queue({ queueName: "mail" }).get(),
  "list queues": (c) => c.queue().list(),
  "pause a queue": (c) => c.queue({ queueName: "mail" }).pause(),
  "resume a queue": (c) => c.queue({ queueName: "mail" }).resume(),
  "delete a queue": (c) => c.queue({ queueName: "mail" }).delete(),
  "add endpoints": (c) => c.urlGroups.addEndpoints({
    name: "orders", endpoints: [{ name: "one", url: "https://one.example.com" }, { url: "https://two.example.com/x?y=1" }],
  }),
  "remove endpoints": (c) => c.urlGroups.removeEndpoints({ name: "orders", endpoints: [{ url: "https://two.example.com/x?y=1" }, { name: "one" }] }),
  "get a URL group": (c) => c.urlGroups.get("orders"),
  "list URL groups": (c) => c.urlGroups.list(),
  "delete a URL group": (c) => c.urlGroups.delete("orders"),
  "get a flow-control key": (c) => c.flowControl.get("acme"),
  "get the global parallelism": (c) => c.flowControl.getGlobalParallelism(),
  "pause a flow-control key": (c) => c.flowControl.pause("acme"),
  "resume a flow-control key": (c) => c.flowControl.resume("acme"),
  "pin a flow-control key": (c) => c.flowControl.pin("acme", { parallelism: 4, rate: 30, period: 120 }),
  "pin a rate": (c) => c.flowControl.pin("acme", { rate: 1 }),
  "unpin a flow-control key": (c) => c.flowControl.unpin("acme", { parallelism: true, rate: true }),
  "reset the rate of a flow-control key": (c) => c.flowControl.resetRate("acme"),
};

// The least that the SDK can read.
function answerTo({ method, url: target }) {
  const path = target.split("?")[0];
  if (path === "/v2/batch") return [];
  if (path === "/v2/events") return { events: [] };
  if (path === "/v2/dlq/retry") return { responses: [] };
  if (path === "/v2/dlq") return method === "GET" ? { messages: [] } : { deleted: 0 };
  if (["/v2/queues", "/v2/schedules", "/v2/topics"].includes(path)) return [];
  return {};
}

const means = (name) => ["authorization", "content-type"].includes(name) || name.startsWith("upstash-");
let request;
const server = createServer(async (incoming, response) => {
  const chunks = [];
  for await (const chunk of incoming) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  const text = body.toString("utf8");
  request = {
    method: incoming.method,
    target: incoming.url,
    headers: Object.fromEntries(Object.entries(incoming.headers).filter(([name]) => means(name)).sort()),
    ...(Buffer.from(text, "utf8").equals(body) ? { body: text } : { bodyBase64: body.toString("base64") }),
  };
  response.setHeader("Content-Type", "application/json").end(JSON.stringify(answerTo(incoming)));
});

await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const client = new Client({ baseUrl: `http://127.0.0.1:${server.address().port}`, token: "the-token", retry: false, enableTelemetry: false });
const recorded = [];
for (const [name, call] of Object.entries(calls)) {
  request = undefined;
  await call(client);
  recorded.push({ name, ...request });
}
server.close();
server.closeAllConnections();
process.stdout.write(JSON.stringify(recorded, null, 2) + "\n");
