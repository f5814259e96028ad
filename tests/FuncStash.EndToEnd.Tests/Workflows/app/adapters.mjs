// The SDK's adapters, each called as its framework calls it, or by the framework itself where that is a small package.
import { createApp, toNodeListener } from "h3";
import { Hono } from "hono";
import { serve as serveAstro } from "@upstash/workflow/astro";
import { serve as serveCloudflare } from "@upstash/workflow/cloudflare";
import { serve as serveH3 } from "@upstash/workflow/h3";
import { serve as serveHono } from "@upstash/workflow/hono";
import { serve as serveNext, servePagesRouter } from "@upstash/workflow/nextjs";
import { serve as serveReactRouter } from "@upstash/workflow/react-router";
import { serve as serveSolid } from "@upstash/workflow/solidjs";
import { serve as serveSvelte } from "@upstash/workflow/svelte";
import { serve as serveTanstack } from "@upstash/workflow/tanstack";

/** What answers a Request with a Response, by the name of the adapter. */
export const adapters = {
  nextjs: (run, options) => serveNext(run, options).POST,
  hono: (run, options) => new Hono().post("*", serveHono(run, options)).fetch,
  cloudflare: (run, options) => (request) => serveCloudflare(run, options).fetch(request, process.env),
  svelte: (run, options) => (request) => serveSvelte(run, options).POST({ request }),
  solidjs: (run, options) => (request) => serveSolid(run, options).POST({ request }),
  astro: (run, options) => (request) => serveAstro(run, options).POST({ request }),
  tanstack: (run, options) => (request) => serveTanstack(run, options).POST({ request }),
  "react-router": (run, options) => (request) => serveReactRouter(run, options)({ request }),
};

/** What answers a request of Node's, by the name of the adapter; these read the scheme from the header of the proxy before them. */
export const nodeAdapters = {
  h3: (run, options) => toNodeListener(createApp().use(serveH3(run, options).handler)),
  // Next.js parses a JSON body.
  "nextjs-pages": (run, options) => async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    request.body = request.headers["content-type"]?.includes("json") ? JSON.parse(text) : text;
    response.status = (status) => ((response.statusCode = status), response);
    response.json = (value) => response.setHeader("Content-Type", "application/json").end(JSON.stringify(value));
    await servePagesRouter(run, options).handler(request, response);
  },
};
