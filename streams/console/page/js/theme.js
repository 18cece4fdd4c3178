// Light or dark: as the system says, until the viewer says otherwise.

const KEY = "foreshock-theme";
const dark = matchMedia("(prefers-color-scheme: dark)");
const probe = document.createElement("span");
let cache = new Map();

function chosen() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

function apply() {
  document.documentElement.dataset.theme = chosen() ?? (dark.matches ? "dark" : "light");
  cache = new Map();
  const button = document.getElementById("theme");
  const isDark = document.documentElement.dataset.theme === "dark";
  button.textContent = isDark ? "Light" : "Dark";
  button.setAttribute("aria-label", isDark ? "Change to the light theme" : "Change to the dark theme");
  document.dispatchEvent(new Event("theme"));
}

/** Change to the other one and remember it. */
export function toggle() {
  const next = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  try {
    localStorage.setItem(KEY, next);
  } catch {
    /* a private window: it holds until the page is left */ document.documentElement.dataset.theme = next;
  }
  apply();
}

/** Begin. */
export function start() {
  probe.hidden = true;
  document.body.append(probe);
  dark.addEventListener("change", apply);
  document.getElementById("theme").addEventListener("click", toggle);
  apply();
}

/** The value of a colour for a canvas: of the theme that holds now. */
export function colour(name) {
  if (!cache.has(name)) {
    probe.style.color = `var(--${name})`;
    cache.set(name, getComputedStyle(probe).color);
  }
  return cache.get(name);
}
