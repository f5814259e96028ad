// Verifies a signature with the official SDK's Receiver: node verify.mjs SIGNATURE BODY URL CURRENT_KEY NEXT_KEY
import { Receiver } from "@upstash/qstash";

const [signature, body, url, currentSigningKey, nextSigningKey] = process.argv.slice(2);
console.log(await new Receiver({ currentSigningKey, nextSigningKey }).verify({ signature, body, url }));
