// A program with the client's packages publishes to a server, which delivers to it, signed.
// Arguments: a folder, the server's command, the program.
import { execFile, spawn } from "node:child_process";
import { promisify } from "node:util";
import { ChildServer } from "./rig.mjs";

const [folder, command, program] = process.argv.slice(2);
const server = await ChildServer.start(spawn, undefined, folder, command, ":memory:");
try {
  const { stdout } = await promisify(execFile)(program, [], {
    cwd: folder, timeout: 60_000,
    env: {
      ...ChildServer.env(folder), QSTASH_URL: server.url, QSTASH_TOKEN: /QSTASH_TOKEN=(\S+)/.exec(server.output)[1],
      QSTASH_CURRENT_SIGNING_KEY: /QSTASH_CURRENT_SIGNING_KEY=(\S+)/.exec(server.output)[1],
    },
  });
  if (stdout.trim() !== "delivered: hello; a request without a signature: 401") throw new Error(stdout);
  console.log("ok - packages: a program published and let only the signed delivery in");
} catch (error) {
  console.log(`not ok - packages: ${error.message}`.replaceAll("\n", " "));
} finally {
  await server.kill();
}
