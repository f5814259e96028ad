// Reads one call per line on stdin, makes it with the real SDK, writes one answer per line on stdout.
//   in:  {"id":1,"config":{…},"call":"queue.enqueueJSON","on":{"queueName":"q"},"args":[…]}
//   out: {"id":1,"result":…} or {"id":1,"error":{"name","message","status"}}
// "call" is a path from a Client made of config, or from a Receiver when it starts with "Receiver.".
// A function met on the way, such as client.queue, is called with "on".
// {"$provider": "openai", "options": {…}, "baseUrl": "…"} is an LLM or e-mail provider of the SDK with another base URL.
// In arguments {"$date": ms} stands for a Date and {"$base64": "…"} for bytes.
import { createInterface } from "node:readline";
import { anthropic, Client, custom, openai, Receiver, resend, upstash } from "@upstash/qstash";

// The SDK reports failed requests on the console; stdout belongs to the answers.
console.log = console.info = console.warn = console.error;

const providers = { anthropic, custom, openai, resend, upstash };
const clients = new Map();

function clientOf(config) {
  const key = JSON.stringify(config);
  if (!clients.has(key)) clients.set(key, new Client(config));
  return clients.get(key);
}

function revive(_, value) {
  if (typeof value?.$date === "number") return new Date(value.$date);
  if (typeof value?.$base64 === "string") return new Uint8Array(Buffer.from(value.$base64, "base64"));
  if (typeof value?.$provider === "string") {
    const provider = providers[value.$provider](value.options);
    return value.baseUrl ? Object.assign(provider, { baseUrl: value.baseUrl }) : provider;
  }
  return value;
}

async function run({ config, call, on, args }) {
  const path = call.split(".");
  let target = path[0] === "Receiver" ? (path.shift(), new Receiver(config)) : clientOf(config);
  const method = path.pop();
  for (const step of path) target = typeof target[step] === "function" ? target[step](on) : target[step];
  return await target[method](...args);
}

createInterface({ input: process.stdin }).on("line", async (line) => {
  const request = JSON.parse(line, revive);
  let answer;
  try {
    answer = { id: request.id, result: await run(request) };
  } catch (error) {
    answer = { id: request.id, error: { name: error.name, message: error.message, status: error.status } };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
});
