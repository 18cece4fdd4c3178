// A trace on its own page: #/trace/<id of a trace, event, alert or score>.
import { get } from "./api.js";
import { el, panel, put, words } from "./dom.js";
import { keys } from "./keys.js";
import { waterfall } from "./waterfall.js";

export function open(view, { id }) {
  const body = el("div", null, words("Reading the trace …"));
  const cancel = new AbortController();
  put(
    view,
    el(
      "div.sheet",
      null,
      el("h1", null, "Trace"),
      panel("Spans", body, { hint: "from the sender's record to the sink; open a line for its details" }),
    ),
  );
  keys({ Escape: ["", () => history.back()] });
  get(`traces/${encodeURIComponent(id)}`, {}, cancel.signal)
    .then((found) => put(body, waterfall(found)))
    .catch((problem) => {
      if (problem.name !== "AbortError") put(body, el("p.state.fault", null, `${problem.message} ${problem.fix}`));
    });
  return () => cancel.abort();
}
