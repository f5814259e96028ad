// An endpoint that takes nothing but what the service has signed. Usage: PORT=3000 npx tsx signature/signature.ts
import { Receiver } from "@upstash/qstash";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const receiver = new Receiver(); // reads QSTASH_CURRENT_SIGNING_KEY and QSTASH_NEXT_SIGNING_KEY

const server = createServer(async (request, response) => {
  let body = "";
  for await (const part of request) body += part;
  const signature = String(request.headers["upstash-signature"] ?? "");
  const url = `http://${request.headers.host}${request.url}`;
  const isSigned = await receiver.verify({ signature, body, url }).catch(() => false);
  if (isSigned) console.log(`signed: ${body}`);
  response.writeHead(isSigned ? 200 : 401).end();
});
server.listen(Number(process.env.PORT ?? 0), "127.0.0.1", () =>
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`));
