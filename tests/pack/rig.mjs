// What the tests of ./pack have in common: a server as a process, and a receiver.

/** Waits until something holds; 30 seconds at most. */
export async function until(holds) {
  const end = Date.now() + 30_000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`it did not come to this: ${holds}`);
    await new Promise((next) => setTimeout(next, 20));
  }
}

/** An HTTP server that keeps which message came to which path. */
export async function receiver(createServer) {
  const seen = [];
  const server = createServer((request, response) => {
    seen.push({ path: request.url, id: request.headers["upstash-message-id"], headers: request.headers });
    request.resume();
    response.end();
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    seen,
    ids: (path) => seen.filter((request) => request.path === path).map((request) => request.id),
    close: () => server.close(),
  };
}

/** The command as a server of its own process group, with an environment in which no .NET can be found by the PATH. */
export class ChildServer {
  static env(folder) {
    return { PATH: "/nonexistent", HOME: folder, DOTNET_BUNDLE_EXTRACT_BASE_DIR: `${folder}/bundle` };
  }

  static async start(spawn, runner, folder, command, data, options = [], settings = {}) {
    const server = new ChildServer();
    const args = ["serve", "--port", "0", "--data", data, ...options];
    const started = performance.now();
    // Who makes the root read-only needs programs for it; the command itself does not see that PATH.
    server.child = runner
      ? spawn(runner, [folder, "/usr/bin/env", "-i", ...Object.entries(ChildServer.env(folder)).map(([k, v]) => `${k}=${v}`), command, ...args], { cwd: folder, detached: true })
      : spawn(command, args, { cwd: folder, env: { ...ChildServer.env(folder), ...settings }, detached: true });
    server.output = "";
    server.ended = new Promise((ended) => server.child.on("exit", ended));
    server.child.on("error", (error) => (server.output += error.message));
    for (const stream of [server.child.stdout, server.child.stderr]) stream.on("data", (text) => (server.output += text));
    let gone = false;
    server.ended.then(() => (gone = true));
    await until(() => {
      if (gone) throw new Error("it ended");
      return (server.url = /QSTASH_URL=(\S+)/.exec(server.output)?.[1]);
    });
    server.token = /QSTASH_TOKEN=(\S+)/.exec(server.output)?.[1];
    await until(async () => (await fetch(server.url + "/health").catch(() => ({ ok: false }))).ok);
    server.firstAnswer = performance.now() - started;
    return server;
  }

  /** Ends it with SIGKILL, and all it has started. */
  async kill() {
    try {
      process.kill(-this.child.pid, "SIGKILL");
    } catch {
      // It has ended.
    }
    await this.ended;
  }
}
