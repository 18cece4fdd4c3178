// Asking the console's server, and listening to what it tells.

/** An answer that is not the wanted one: what happened as a sentence, and what helps. */
export class Refused extends Error {
  constructor(status, answer) {
    super(answer.error ?? `The server answered ${status}.`);
    this.status = status;
    this.code = answer.code ?? "";
    this.fix = answer.fix ?? "";
  }
}

async function ask(path, options) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch (problem) {
    if (problem.name === "AbortError") throw problem;
    throw new Refused(0, {
      error: "The console's server does not answer.",
      code: "unreachable",
      fix: "Is `foreshock console` still running?",
    });
  }
  const body = await answer.json().catch((problem) => {
    // left while the answer was coming: whoever asked is gone; anything else is an answer that is no JSON
    if (problem.name === "AbortError") throw problem;
    if (answer.ok)
      throw new Refused(0, { error: "The answer of the console's server broke off.", fix: "Load the page again." });
    return {};
  });
  if (answer.status === 401) document.dispatchEvent(new Event("signedout"));
  if (!answer.ok) throw new Refused(answer.status, body);
  return body;
}

const query = (values) => {
  const search = new URLSearchParams(
    Object.entries(values ?? {}).filter(([, value]) => value !== "" && value !== null && value !== undefined),
  ).toString();
  return search ? `?${search}` : "";
};

/** GET /api/<path> */
export const get = (path, values, signal) => ask(`/api/${path}${query(values)}`, { signal });

/** POST /api/<path> with a JSON body. */
export const post = (path, body = {}, values = {}) =>
  ask(`/api/${path}${query(values)}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });

const KINDS = ["hello", "scores", "anomaly", "alert", "line", "quality", "dead_letter", "ready", "beat", "reset"];
const listeners = new Set();
export const live = { heardMs: 0, kafka: true, lagS: null, ready: true, connected: false };
let source = null;
let again = 0;

/** Call `listener(kind, data)` for each event until the returned function is called. */
export function listen(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function tell(kind, data) {
  live.heardMs = Date.now();
  if (kind === "beat") {
    live.kafka = data.kafka;
    live.lagS = data.lag_s;
  }
  if (kind === "hello") live.ready = data.ready;
  if (kind === "ready") live.ready = true;
  for (const each of [...listeners]) each(kind, data);
}

/** Begin to listen; the browser connects again by itself. */
export function connect() {
  clearTimeout(again);
  source?.close();
  source = new EventSource("/api/events");
  source.onopen = () => {
    live.connected = true;
    tell("open", {});
  };
  source.onerror = () => {
    live.connected = false;
    for (const each of [...listeners]) each("lost", {});
    // after an answer that is no stream (503, 421) the browser gives up: try again
    if (source.readyState === EventSource.CLOSED) again = setTimeout(connect, 3000);
  };
  for (const kind of KINDS)
    source.addEventListener(kind, (event) => tell(kind, event.data ? JSON.parse(event.data) : {}));
}
