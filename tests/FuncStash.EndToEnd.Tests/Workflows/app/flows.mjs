// The workflows. Each step notes that it runs under its number, which the SDK gives in the order in which it comes to them.
import { createHash } from "node:crypto";
import { WorkflowNonRetryableError } from "@upstash/workflow";
import { noteReturn, ran } from "./record.mjs";

const target = (name) => `${process.env.APP_URL}/target/${name}`;
const sum = (text) => createHash("sha256").update(text).digest("hex");
const text = (bytes, seed) => "é<>&'+/".repeat(Math.ceil(bytes / 8)).slice(0, bytes - 20) + seed;

/** Whom workflows call. */
export const targets = {
  double: (body, _, response) => response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify({ twice: 2 * JSON.parse(body).n })),
};

export const flows = {
  // Steps in sequence and side by side, a sleep, a call, an event.
  everything: {
    run: async (c) => {
      const { n } = c.requestPayload, id = c.workflowRunId, step = (number, value) => () => ran(id, number, value);
      const first = await c.run("first", step(1, n));
      const some = await Promise.all([c.run("left", step(2, n + 1)), c.run("right", step(3, n + 2)), c.sleep("short", 1), c.run("last", step(5, n + 3))]);
      await c.sleep("between", 1);
      const { body } = await c.call("call", { url: target("double"), method: "POST", body: JSON.stringify({ n }), retries: 5, retryDelay: "200" });
      const { eventData, timeout } = await c.waitForEvent("event", `event-${id}`, { timeout: "1h" });
      const end = await c.run("end", step(9, `${first} ${some[0]} ${some[1]} ${some[3]} ${body.twice} ${eventData.n} ${timeout}`));
      return noteReturn(id, end);
    },
  },
  // Branches that end together.
  fan: {
    run: async (c) => {
      const { branches } = c.requestPayload, id = c.workflowRunId;
      const all = await Promise.all(Array.from({ length: branches }, (_, i) => c.run(`b${i}`, async () => {
        ran(id, i + 1);
        await new Promise((resolve) => setTimeout(resolve, 200));
        return i * i;
      })));
      return noteReturn(id, await c.run("sum", () => ran(id, branches + 1, all.reduce((a, b) => a + b, 0))));
    },
  },
  line: {
    run: async (c) => {
      let at = 0;
      for (let i = 1; i <= c.requestPayload.steps; i++) at = await c.run(`s${i}`, () => ran(c.workflowRunId, i, at + i));
      return noteReturn(c.workflowRunId, at);
    },
  },
  // Results of many bytes, side by side and in sequence.
  large: {
    run: async (c) => {
      const { bytes, text: given } = c.requestPayload, id = c.workflowRunId;
      const [a, b] = await Promise.all([c.run("a", () => ran(id, 1, text(bytes, "a"))), c.run("b", () => ran(id, 2, text(bytes, "b")))]);
      const z = await c.run("z", () => ran(id, 3, text(bytes, "z")));
      return noteReturn(id, [given, a, b, z].map((each) => sum(each ?? "")));
    },
  },
  sleeper: {
    run: async (c) => {
      await c.run("before", () => ran(c.workflowRunId, 1));
      await c.sleep("sleep", c.requestPayload.seconds);
      await c.run("after", () => ran(c.workflowRunId, 3));
      return noteReturn(c.workflowRunId, "awake");
    },
  },
  waiter: {
    run: async (c) => {
      const { event, delay } = c.requestPayload;
      if (delay) await c.sleep("first", delay);
      const all = [];
      for (let i = 0; i < 2; i++) all.push((await c.waitForEvent(`wait ${i}`, event, { timeout: "1m" })).eventData);
      return noteReturn(c.workflowRunId, all);
    },
  },
  parent: {
    run: async (c) => {
      const { depth } = c.requestPayload;
      if (depth === 0) return noteReturn(c.workflowRunId, await c.run("bottom", () => ran(c.workflowRunId, 1, "bottom")));
      const { body, isFailed } = await c.invoke("down", { workflow: { workflowId: "parent", routeFunction: flows.parent.run, options: {}, useJSONContent: true }, body: { depth: depth - 1 }, retries: 0 });
      return noteReturn(c.workflowRunId, `${isFailed} ${body}`);
    },
  },
  failing: {
    run: async (c) => {
      await c.run("good", () => ran(c.workflowRunId, 1, "good"));
      await c.run("bad", () => {
        ran(c.workflowRunId, 2);
        if (!mended.has(c.requestPayload.key)) throw c.requestPayload.forGood ? new WorkflowNonRetryableError("bad") : new Error("bad");
      });
      return noteReturn(c.workflowRunId, "mended");
    },
    failureFunction: ({ context, failStatus, failResponse }) => noteReturn(`failure of ${context.workflowRunId}`, `${failStatus} ${failResponse}`),
  },
};

/** The keys of those runs of `failing` whose step works by now. */
export const mended = new Set();
