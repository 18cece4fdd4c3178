// Acknowledge, shelve, label: who and why are always asked for, and what cannot be done says why.
import { post } from "./api.js";
import { el, panel, put, say } from "./dom.js";
import { session, signIn, whyNot } from "./session.js";
import { plain } from "./text.js";

const ACTOR = "foreshock-actor";
const remembered = () => {
  try {
    return localStorage.getItem(ACTOR) ?? "";
  } catch {
    return "";
  }
};
const remember = (name) => {
  try {
    localStorage.setItem(ACTOR, name);
  } catch {
    /* a private window forgets */
  }
};

const FORMS = {
  ack: ["Acknowledge", "a", []],
  shelve: [
    "Shelve",
    "s",
    [
      [
        "hours",
        "For hours",
        el("input", { type: "number", min: ".1", max: "720", step: "any", value: "8", required: true }),
      ],
    ],
  ],
  unshelve: ["Unshelve", "u", []],
  label: [
    "Label",
    "l",
    [
      [
        "verdict",
        "It was",
        el(
          "select",
          { required: true },
          [
            ["true", "a real fault"],
            ["false", "a false alarm"],
            ["neutral", "neither"],
          ].map(([value, text]) => el("option", { value }, text)),
        ),
      ],
      ["fault_code", "Fault code", el("input", { placeholder: "optional", maxlength: "80" })],
    ],
  ],
  close: ["Close", "", []],
};

/** Which actions make sense for the state of an alert, and why the others do not. */
function impossible(kind, alert) {
  if (kind !== "label" && !alert.open) return "The alert has ended.";
  if (kind === "ack" && alert.state === "acknowledged")
    return `Acknowledged already${alert.acknowledged_by ? ` by ${alert.acknowledged_by}` : ""}.`;
  if (kind === "unshelve" && alert.state !== "shelved") return "It is not shelved.";
  if (kind === "shelve" && alert.state === "shelved") return "It is shelved already.";
  return "";
}

export class Actions {
  /** `done(answer)` is called after a command was taken. */
  constructor(done) {
    this.done = done;
    this.kind = "";
    this.body = el("div");
    this.root = panel("Act on it", this.body, { id: "act" });
    this.redraw = () => this.draw();
    document.addEventListener("session", this.redraw);
  }

  take(alert) {
    this.alert = alert;
    this.draw();
  }

  /** Open one of the forms, as by a key. */
  open(kind) {
    if (!this.alert || impossible(kind, this.alert)) {
      say(impossible(kind, this.alert ?? {}));
      return;
    }
    this.kind = kind;
    this.draw();
    this.body.querySelector("form input:not(:disabled)")?.focus();
  }

  draw() {
    if (!this.alert) return;
    const refused = whyNot();
    const kinds = Object.keys(FORMS).filter((kind) =>
      kind === "unshelve" ? this.alert.state === "shelved" : kind === "shelve" ? this.alert.state !== "shelved" : true,
    );
    if (!this.kind || !kinds.includes(this.kind))
      this.kind = kinds.find((kind) => !impossible(kind, this.alert)) ?? "label";
    put(
      this.body,
      el(
        "div.tabs",
        { role: "tablist", "aria-label": "Actions" },
        kinds.map((kind) => {
          const no = impossible(kind, this.alert);
          return el(
            "button",
            {
              type: "button",
              role: "tab",
              "aria-selected": kind === this.kind,
              disabled: Boolean(no),
              title: no || null,
              onclick: () => this.open(kind),
            },
            FORMS[kind][0],
          );
        }),
      ),
      this.form(refused),
      session.write && !session.signedIn ? this.login() : null,
    );
  }

  form(refused) {
    const [title, key, extra] = FORMS[this.kind];
    const actor = el("input", {
      name: "actor",
      required: true,
      maxlength: "120",
      autocomplete: "username",
      value: remembered(),
      disabled: Boolean(refused),
    });
    const reason = el("input", {
      name: "reason",
      required: true,
      maxlength: "500",
      autocomplete: "off",
      disabled: Boolean(refused),
    });
    const fields = extra.map(([name, text, like]) => {
      const field = like.cloneNode(true);
      field.name = name;
      field.disabled = Boolean(refused);
      return el("label", null, text, field);
    });
    const button = el(
      "button.main",
      { type: "submit", disabled: Boolean(refused) },
      title,
      key && [" ", el("span.key", null, key)],
    );
    const told = el("p.verdict", { role: "status" }, this.told ?? "");
    return el(
      "form.act",
      {
        onsubmit: (event) => {
          event.preventDefault();
          this.send(event.target, button, told);
        },
        "aria-label": title,
      },
      el("div.fields", null, el("label", null, "Who are you?", actor), fields),
      el("label", null, "Reason", reason),
      el("div.head", null, button, refused && el("span.hint", { id: "why-not" }, refused)),
      told,
    );
  }

  async send(form, button, told) {
    const body = Object.fromEntries(new FormData(form));
    if (body.hours) body.hours = Number(body.hours);
    remember(body.actor);
    button.disabled = true;
    told.className = "verdict";
    put(told, "Sent to control.v1; waiting for the worker's answer on alerts.v1 …");
    try {
      const answer = await post(`alerts/${this.alert.id}/${this.kind}`, body);
      this.told = `${plain(answer.change)}: ${answer.reason || "taken"}${answer.effect ? `; ${answer.effect}` : ""} (alerts.v1, event ${(answer.event_id ?? "").slice(0, 8)}).`;
      say(this.told);
      this.kind = "";
      this.done(answer);
    } catch (problem) {
      this.told = "";
      put(told, `${problem.message} ${problem.fix ?? ""}`);
      told.className = "verdict poor";
      button.disabled = false;
      if (problem.status === 401) {
        session.signedIn = false;
        this.draw();
      }
    }
  }

  login() {
    const token = el("input", { type: "password", required: true, autocomplete: "current-password" });
    const told = el("span.hint", { role: "status" });
    return el(
      "form.act.login",
      {
        "aria-label": "Sign in",
        onsubmit: async (event) => {
          event.preventDefault();
          try {
            await signIn(token.value);
          } catch (problem) {
            put(told, problem.message);
          }
        },
      },
      el("label", null, "Token of this console", token),
      el("div.head", null, el("button", { type: "submit" }, "Sign in"), told),
    );
  }

  close() {
    document.removeEventListener("session", this.redraw);
  }
}
