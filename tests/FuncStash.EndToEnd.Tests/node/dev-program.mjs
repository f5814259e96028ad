// A program as its author writes it for QSTASH_DEV=true: no URL, no token.
import { Client } from "@upstash/qstash";

const { messageId } = await new Client().publishJSON({ url: process.argv[2], body: { hello: "dev" } });
console.log(`published ${messageId}`);
