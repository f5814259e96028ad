// What a compiler ahead of time could have left out of the one file: the console's pages, inventories, JSON of every verb, and the store of
// Azure. On SQLite, and where npm can install Azurite on that. Arguments: a name, an empty folder, the command, and Azurite's folder or "".
import { spawn, execFile } from "node:child_process";
import { createServer } from "node:http";
import { createServer as createSocket } from "node:net";
import { writeFileSync } from "node:fs";
import { promisify } from "node:util";
import { ChildServer, receiver, until } from "./rig.mjs";

const [name, folder, command, azurite] = process.argv.slice(2);
const run = promisify(execFile);
const received = await receiver(createServer);
const large = `${folder}/large`;
writeFileSync(large, "x".repeat(900_000));

const pages = [
  "", "messages", "messages/{id}", "dead-letters", "dead-letters/{dlq}", "workflows", "live", "send", "schedules", "schedules/tick",
  "url-groups", "url-groups/group", "queues", "queues/line", "flow-control", "flow-control/key", "settings",
];

async function use(server) {
  const said = async (...verb) =>
    (await run(command, [...verb, "--url", server.url], { env: ChildServer.env(folder), cwd: folder, maxBuffer: 2 ** 25 })).stdout.trim();
  const told = async (...verb) => (await said(...verb, "--json")).split("\n").filter(Boolean).map((line) => JSON.parse(line));
  const call = async (method, path, body) => {
    const answer = await fetch(server.url + path, {
      method, body, headers: { Authorization: `Bearer ${server.token}`, "Content-Type": "application/json" },
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  };

  await said("publish", `${received.url}/large`, "--data", `@${large}`);
  const [{ messageId }] = await told("publish", `${received.url}/key`, "--data", "1", "-H", "Upstash-Flow-Control-Key: key", "-H", "Upstash-Flow-Control-Value: parallelism=2,rate=9,period=1m");
  await said("publish", "http://127.0.0.1:1/dead", "--data", "1", "--retries", "0");
  await call("POST", `/v2/enqueue/line/${received.url}/line`, "{}");
  await call("POST", "/v2/topics/group/endpoints", JSON.stringify({ endpoints: [{ url: `${received.url}/group`, name: "one" }] }));
  await said("schedules", "create", `${received.url}/tick`, "--cron", "*/5 * * * *", "--id", "tick", "-H", "Upstash-Forward-X: yes");
  await until(() => ["/large", "/key", "/line"].every((path) => received.ids(path).length > 0));
  let dead = [];
  await until(async () => (dead = await told("dlq", "list")).length === 1);

  for (const page of pages) {
    const path = `/console/${page.replace("{id}", messageId).replace("{dlq}", dead[0].dlqId)}`;
    const answer = await fetch(server.url + path);
    const text = await answer.text();
    if (answer.status !== 200 || !/<h1/.test(text)) throw new Error(`${path}: ${answer.status} ${text.slice(0, 100)}`);
  }

  const inventory = `${folder}/inventory.yaml`;
  await said("export", "--output", inventory);
  const same = await said("apply", inventory, "--diff");
  if (!same.startsWith("0 to create, 0 to change")) throw new Error(`an export differs from what it is of: ${same}`);
  const [schedule] = await told("schedules", "get", "tick");
  if (schedule.header.X[0] !== "yes") throw new Error("the schedule's header is not told");
  for (const verb of [["messages"], ["logs"], ["queues"], ["keys"], ["schedules"]])
    if ((await told(...verb)).length === 0) throw new Error(`${verb} --json told nothing`);
  if ((await told("dlq", "retry", "--all", "--yes")).length !== 1) throw new Error("the dead letter was not sent again");
}

async function freePort() {
  const socket = createSocket();
  await new Promise((listening) => socket.listen(0, "127.0.0.1", listening));
  const { port } = socket.address();
  await new Promise((closed) => socket.close(closed));
  return port;
}

// Ended also where it did not come to answer: what it leaves open would keep this program alive.
let storage;

async function startAzurite() {
  const key = Buffer.from("a key of this test").toString("base64");
  const [blob, queue, table] = [await freePort(), await freePort(), await freePort()];
  const child = spawn(
    process.execPath,
    ["start.cjs", "--silent", "--skipApiVersionCheck", "--disableTelemetry", "--inMemoryPersistence", "--blobPort", blob, "--queuePort", queue, "--tablePort", table],
    { cwd: azurite, env: { ...process.env, AZURITE_ACCOUNTS: `pack:${key}`, AZURITE_CLOCK_AHEAD: "0" }, stdio: ["pipe", "ignore", "ignore"] });
  const at = (service, port) => `${service}Endpoint=http://127.0.0.1:${port}/pack;`;
  storage = child;
  await until(async () => (await Promise.all([blob, queue, table].map((port) => fetch(`http://127.0.0.1:${port}/`).then(() => true, () => false)))).every(Boolean));
  return `DefaultEndpointsProtocol=http;AccountName=pack;AccountKey=${key};${at("Blob", blob)}${at("Queue", queue)}${at("Table", table)}`;
}

async function trying(what, arrange) {
  let server;
  try {
    server = await arrange();
    await use(server);
    console.log(`ok - ${name}: on ${what}, the console's pages, an inventory, dead letters and all lists`);
  } catch (error) {
    console.log(`not ok - ${name}: on ${what}, ${error.stderr ?? ""} ${error.message.split("\n")[0]} ${server?.output ?? ""}`.replaceAll("\n", " "));
  } finally {
    await server?.kill();
  }
}

await trying("SQLite", () => ChildServer.start(spawn, undefined, folder, command, `${folder}/all`));
if (azurite) {
  received.seen.length = 0;
  await trying("Azurite", async () => ChildServer.start(
    spawn, undefined, folder, command, `${folder}/unused`, ["--storage", "azure"], { AzureWebJobsStorage: await startAzurite() }));
  storage?.kill("SIGKILL");
} else {
  console.log(`skip - ${name}: npm cannot install Azurite`);
}
received.close();
