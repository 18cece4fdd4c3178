// The frame: which page is shown, the state of the connection, theme, keyboard.
import { connect, get, listen, live } from "./api.js";
import { el, put, words } from "./dom.js";
import * as keyboard from "./keys.js";
import { fromPath, href, parse } from "./route.js";
import { closed, session, signIn } from "./session.js";
import * as theme from "./theme.js";
import { ago, length, utc, zone } from "./time.js";

const PAGES = {
  fleet: ["Fleet", () => import("./fleet.js")],
  alerts: ["Alerts", () => import("./alerts.js")],
  pipeline: ["Pipeline", () => import("./pipeline.js")],
  asset: ["", () => import("./asset.js")],
  alert: ["", () => import("./alert.js")],
  trace: ["", () => import("./trace_page.js")],
};
const IN = { asset: "fleet", alert: "alerts", trace: "alerts" };
const view = document.getElementById("view");
let leave = () => {};
let shown = "";
let turn = 0;

function nav(page) {
  put(
    document.getElementById("nav"),
    Object.entries(PAGES)
      .filter(([, [title]]) => title)
      .map(([name, [title]]) =>
        el("a", { href: href(name), "aria-current": (IN[page] ?? page) === name ? "page" : null }, title),
      ),
  );
}

/** Draw the page of the address, unless only its query changed and the page takes that itself. */
async function show() {
  const route = parse(location.hash);
  const name = Object.hasOwn(PAGES, route.page) ? route.page : "";
  const own = ++turn;
  leave();
  leave = () => {};
  keyboard.none();
  nav(name);
  document.title = `${PAGES[name]?.[0] || route.id || "Foreshock"} · Foreshock`;
  if (!name) {
    put(
      view,
      el(
        "div.sheet",
        null,
        words(`There is no page "${route.page}".`),
        el("a", { href: href("fleet") }, "Open the fleet"),
      ),
    );
    return;
  }
  if (closed()) {
    door();
    return;
  }
  const moved = `${name}/${route.id}` !== shown;
  shown = `${name}/${route.id}`;
  const module = await PAGES[name][1]();
  if (own !== turn) return;
  if (moved) {
    scrollTo(0, 0);
    view.focus({ preventScroll: true });
  }
  leave = module.open(view, route) ?? (() => {});
}

/** All that a console beyond this machine shows to those who have not signed in. */
function door() {
  const token = el("input", { type: "password", required: true, autocomplete: "current-password" });
  const told = el("p.verdict.poor", { role: "alert" });
  put(
    view,
    el(
      "div.sheet.door",
      null,
      el("h1", null, "Sign in"),
      el(
        "form.act",
        {
          onsubmit: async (event) => {
            event.preventDefault();
            try {
              await signIn(token.value);
              connect();
              show();
            } catch (problem) {
              put(told, problem.message);
            }
          },
        },
        el("label", null, "Token of this console", token),
        el("button.main", { type: "submit" }, "Sign in"),
        told,
      ),
    ),
  );
  token.focus();
}

function connection() {
  const place = document.getElementById("link");
  const notice = document.getElementById("notice");
  const silent = Date.now() - live.heardMs;
  const lost = live.heardMs && (!live.connected || silent > 20_000);
  const problem = lost
    ? `No word from the console's server since ${ago(live.heardMs)}: what is shown is from then. It is tried again.`
    : live.heardMs && !live.kafka
      ? "Kafka cannot be reached from the console: what is shown is what was read before. The worker may well go on."
      : live.heardMs && !live.ready
        ? "The console still reads the past hour from Kafka: older scores are missing for some seconds."
        : "";
  notice.hidden = !problem;
  if (problem && notice.textContent !== problem) notice.textContent = problem;
  place.className = problem ? "link lost" : "link";
  place.textContent = !live.heardMs
    ? "connecting …"
    : lost
      ? "not live"
      : !live.kafka
        ? "no Kafka"
        : live.lagS === null || live.lagS === undefined
          ? "live"
          : `live, ${length(live.lagS * 1000)} behind`;
  place.title = `${live.heardMs ? `Last heard ${utc(live.heardMs)}. ` : ""}Times are in your zone (${zone}); hover for UTC.`;
}

function start() {
  theme.start();
  keyboard.start((page) => {
    location.hash = href(page);
  }, theme.toggle);
  if (location.pathname !== "/") history.replaceState(null, "", `/${fromPath(location.pathname + location.search)}`);
  addEventListener("hashchange", show);
  document.addEventListener("signedout", () => {
    if (!session.private || !session.signedIn) return;
    session.signedIn = false;
    show();
  });
  listen((kind) => {
    if (["open", "hello", "beat", "lost", "ready"].includes(kind)) connection();
    if (kind === "reset") show();
  });
  setInterval(connection, 5000);
  connection();
  show();
  connect();
  get("session")
    .then((found) => {
      session.take(found);
      live.ready = found.ready;
      connection();
      if (closed()) show();
    })
    .catch(() => connection());
}

start();
