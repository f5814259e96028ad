// What happened, by run.
const records = new Map();

/** The runs whose workflow has returned, and the steps whose result the server has acknowledged: "RUN STEP". */
export const returned = new Map(), acknowledged = new Map();

export const recordOf = (run) => records.get(run) ?? records.set(run, { deliveries: [], ran: [], returned: [], lost: [], late: [] }).get(run);

/** Notes a delivery: which message brought which entries of the history. */
export function deliveryOf(request, body, length) {
  const header = (name) => request.headers[`upstash-${name}`];
  const delivery = {
    messageId: header("message-id"), retried: Number(header("retried")), at: Date.now(), length,
    kind: header("workflow-callback") ? "callback" : header("workflow-failure-callback") ? "failure" : "step",
    entries: Array.isArray(body) ? body.map((entry) => entry.messageId) : null,
  };
  recordOf(header("workflow-runid")).deliveries.push(delivery);
  return delivery;
}

// A delivery that was on its way when a result was acknowledged could not know of it.
const onItsWay = 2000;

/** Notes that a step runs, and gives its result. One that runs although its result was acknowledged is noted as lost. */
export function ran(run, id, result) {
  const record = recordOf(run);
  record.ran.push({ id, at: Date.now() });
  const since = Date.now() - acknowledged.get(`${run} ${id}`);
  if (since >= 0) (since > onItsWay ? record.lost : record.late).push(id);
  return result;
}

export function noteReturn(run, result) {
  recordOf(run).returned.push(result);
  returned.set(run, result);
  return result;
}

/** Takes note of what the SDK submits, once the server has acknowledged it. */
export function watchSubmissions() {
  const send = globalThis.fetch;
  globalThis.fetch = async (url, init) => {
    const answer = await send(url, init);
    if (answer.ok && String(url).endsWith("/v2/batch")) JSON.parse(init.body).forEach(note);
    return answer;
  };
}

function note({ headers, body }) {
  const run = Object.entries(headers).find(([name]) => name.toLowerCase() === "upstash-workflow-runid")?.[1];
  try {
    const { stepId } = JSON.parse(body);
    if (run && stepId > 0) acknowledged.set(`${run} ${stepId}`, Date.now());
  } catch {
    // The body of a call.
  }
}
