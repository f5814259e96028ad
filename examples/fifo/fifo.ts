// One after the other, in order: the next one waits until the one before has been answered. Usage: npx tsx fifo/fifo.ts URL
import { Client } from "@upstash/qstash";

const client = new Client(); // reads QSTASH_URL and QSTASH_TOKEN
const queue = client.queue({ queueName: "orders" });

for (const step of ["pack", "label", "ship"]) {
  const { messageId } = await queue.enqueueJSON({ url: process.argv[2], body: { order: 7, step } });
  console.log(messageId);
}
