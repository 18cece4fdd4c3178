// Which layer is in trouble: broker, partition, worker, sensor, feature pipeline, model, machine or sink; asked when somebody wants to know.
import { get } from "./api.js";
import { el, marked, panel, put, words } from "./dom.js";
import { plain, sentence } from "./text.js";

const finding = (each) =>
  el(
    "li",
    null,
    el("b", null, `${sentence(plain(each.layer))}: `),
    each.sentence,
    each.evidence.map((fact) => el("div.hint", null, fact)),
    each.fix && el("div", null, "→ ", marked(each.fix)),
  );

/** The panel; `foreshock diagnose` says the same. */
export function diagnosis() {
  const body = el(
    "div",
    null,
    el("p.hint", null, "Looks at metrics, lag, quality, drift and models, and names the layer."),
  );
  const button = el("button", { type: "button", onclick: () => ask() }, "Diagnose ", el("kbd", null, "d"));
  async function ask() {
    if (button.disabled) return;
    button.disabled = true;
    put(body, el("p.hint", null, "Looking: this takes some seconds …"));
    try {
      const { findings, unseen } = await get("diagnose");
      put(
        body,
        findings.length
          ? el("ol.steps", null, findings.map(finding))
          : words("Nothing is wrong, as far as could be seen."),
        unseen.length > 0 && el("p.hint", null, `Not seen: ${unseen.join("; ")}.`),
      );
    } catch (problem) {
      put(body, el("p.state.fault", null, problem.message, " ", problem.fix));
    }
    button.disabled = false;
  }
  return { root: panel("What is in trouble?", body, { end: button }), ask };
}
