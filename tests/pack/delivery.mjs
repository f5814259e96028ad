// Starts a command that ./pack has made as a server, publishes to it, kills it with SIGKILL, starts it again, and looks that nothing is lost.
// Arguments: a name, an empty folder, the command, and maybe a program that runs it and whose first argument is a folder to write to.
import { spawn, execFile } from "node:child_process";
import { createServer } from "node:http";
import { promisify } from "node:util";
import { ChildServer, receiver, until } from "./rig.mjs";

const [name, folder, command, runner] = process.argv.slice(2);
const run = promisify(execFile);
const received = await receiver(createServer);
const servers = [];
const start = async (data) => {
  const server = await ChildServer.start(spawn, runner, folder, command, data);
  servers.push(server);
  return server;
};

try {
  // The first start unpacks what is needed; the best of five others is the machine's own time.
  await (await start(":memory:")).kill();
  let best = Infinity;
  for (let n = 0; n < 5; n++) {
    const server = await start(":memory:");
    best = Math.min(best, server.firstAnswer);
    await server.kill();
  }
  console.log(`ok - ${name}: ${Math.round(best)} ms from the start to the first answer, the best of five`);

  let server = await start(`${folder}/data`);
  const { env } = ChildServer;
  const publish = async (path, ...options) =>
    (await run(command, ["publish", received.url + path, "--data", "hello", "--url", server.url, ...options], { env: env(folder), cwd: folder })).stdout.trim();
  const now = await publish("/now");
  await until(() => received.ids("/now").includes(now));
  console.log(`ok - ${name}: a message was published and delivered`);

  const later = [await publish("/later", "--delay", "3s"), await publish("/later", "--delay", "4s")];
  await server.kill();
  server = await start(`${folder}/data`);
  await until(() => later.every((id) => received.ids("/later").includes(id)));
  if (received.ids("/later").length !== 2) throw new Error("a message was delivered twice");
  console.log(`ok - ${name}: killed with SIGKILL and started again, it lost nothing`);

  const { version } = await (await fetch(server.url + "/health")).json();
  const told = (await run(command, ["--version"], { env: env(folder), cwd: folder })).stdout.trim();
  if (!told.startsWith(version)) throw new Error(`--version says ${told}, and /health ${version}`);
  console.log(`ok - ${name}: it is version ${version}`);
} catch (error) {
  console.log(`not ok - ${name}: ${error.message.split("\n")[0]} ${servers.at(-1)?.output ?? ""}`.replaceAll("\n", " "));
} finally {
  for (const server of servers) await server.kill();
  received.close();
}
