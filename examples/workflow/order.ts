// An order that is charged, waits for its parcel and is rated: a workflow of the Upstash Workflow SDK.
//   QSTASH_URL=http://127.0.0.1:8080 QSTASH_TOKEN=… npm start
// serves it on PORT (3000 unless said otherwise) and starts one run. Needs nothing but Node: the SDK's handler takes a Request and gives a Response.
import { createServer } from "node:http";
import { Client, serve, type WorkflowContext } from "@upstash/workflow";

type Order = { id: string; items: string[] };

async function order(context: WorkflowContext<Order>) {
  const { id, items } = context.requestPayload;

  // Runs once, whatever dies later. Its result is kept by the server.
  const total = await context.run("price", () => items.length * 10);

  // Side by side.
  const [stock, receipt] = await Promise.all([
    context.run("reserve", () => items.map((item) => `${item} reserved`)),
    context.run("charge", () => `charged ${total} for ${id}`),
  ]);

  await context.sleep("let the customer change their mind", 1);

  // The server calls; no function of ours waits meanwhile.
  const { status } = await context.call("ship", { url: `${home()}/ship`, method: "POST", body: JSON.stringify({ id }) });

  const { eventData, timeout } = await context.waitForEvent<string>("delivered", `delivered-${id}`, { timeout: "7d" });
  return { stock, receipt, shipped: status === 200, delivered: timeout ? "never" : eventData };
}

const { handler } = serve<Order>(order, {
  failureFunction: ({ context, failResponse }) => console.log(`${context.workflowRunId} failed: ${failResponse}`),
});
const client = new Client({ baseUrl: process.env.QSTASH_URL, token: process.env.QSTASH_TOKEN! });

const server = createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks).toString();
  if (request.url === "/ship") {
    response.end("on its way");
    const { id } = JSON.parse(body);
    await client.notify({ eventId: `delivered-${id}`, eventData: "at the door", workflowRunId: `wfr_${id}` });
    return;
  }
  const headers = Object.entries(request.headers).flatMap(([name, value]) => [value ?? []].flat().map((one): [string, string] => [name, one]));
  const answer = await handler(new Request(home() + request.url, { method: request.method, headers, body: body || undefined }));
  response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text());
});

const home = () => `http://127.0.0.1:${(server.address() as { port: number }).port}`;

server.listen(Number(process.env.PORT ?? 3000), "127.0.0.1", async () => {
  const id = process.argv[2] ?? `order-${Date.now()}`;
  const { workflowRunId } = await client.trigger({ url: `${home()}/order`, workflowRunId: id, body: { id, items: ["tea", "cups"] } });
  for (;;) {
    const { runs } = await client.logs({ filter: { workflowRunId } });
    if (runs[0] && runs[0].workflowState !== "RUN_STARTED") {
      console.log(`${workflowRunId} ${runs[0].workflowState} ${runs[0].workflowRunResponse ?? ""}`);
      process.exit();
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
});
