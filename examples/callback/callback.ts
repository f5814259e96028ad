// Calls a URL, and takes what it answers from the callback. Usage: npx tsx callback/callback.ts URL
import { Client } from "@upstash/qstash";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const client = new Client(); // reads QSTASH_URL and QSTASH_TOKEN

const server = createServer(async (request, response) => {
  let text = "";
  for await (const part of request) text += part;
  const { status, body } = JSON.parse(text);
  console.log(`answered ${status}: ${Buffer.from(body, "base64")}`); // the answer's body is base64
  response.end(() => process.exit());
});

server.listen(Number(process.env.PORT ?? 0), "127.0.0.1", async () => {
  const callback = `http://127.0.0.1:${(server.address() as AddressInfo).port}/answered`;
  await client.publishJSON({
    url: process.argv[2],
    body: { question: "how many are in stock?" },
    callback,
    failureCallback: callback, // when all retries are used up
  });
});
