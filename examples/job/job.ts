// A background job: acknowledged at once, delivered for sure. Usage: npx tsx job/job.ts URL
import { Client } from "@upstash/qstash";

const client = new Client(); // reads QSTASH_URL and QSTASH_TOKEN

const { messageId } = await client.publishJSON({
  url: process.argv[2],
  body: { task: "send the invoice", order: 7 },
  retries: 5,
  deduplicationId: "invoice-7",
});
console.log(messageId);
