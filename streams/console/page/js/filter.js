// Which assets of the fleet are shown, and in which order. Pure.

export const ORDER = ["critical", "warning", "watch", "anomaly", "quality", "info", "none", "warming", "stopped", "ok"];
const rank = Object.fromEntries(ORDER.map((name, at) => [name, at]));
/** Chips of the overview: a title and the severities behind it. */
export const GROUPS = [
  ["critical", ["critical"]],
  ["warning", ["warning"]],
  ["watch", ["watch"]],
  ["anomaly", ["anomaly"]],
  ["bad data", ["quality"]],
  ["not heard", ["none"]],
  ["warming up", ["warming"]],
  ["stopped", ["stopped"]],
  ["normal", ["ok", "info"]],
];

/** Site, area and line of a path as far as it goes: enterprise, site, area, line, cell. */
export const siteOf = (asset) => asset.path?.[1] ?? asset.path?.[0] ?? "";
export const lineOf = (asset) => (asset.path ?? []).slice(2, 4).join(" / ");

const by = {
  severity: (a, b) =>
    (rank[a.severity] ?? 99) - (rank[b.severity] ?? 99) || (b.score ?? -1) - (a.score ?? -1) || (a.id < b.id ? -1 : 1),
  score: (a, b) => (b.score ?? -1) - (a.score ?? -1) || (a.id < b.id ? -1 : 1),
  name: (a, b) => (a.id < b.id ? -1 : 1),
  heard: (a, b) => (a.last_ms ?? 0) - (b.last_ms ?? 0) || (a.id < b.id ? -1 : 1),
  trend: (a, b) => (b.trend ?? -1e9) - (a.trend ?? -1e9) || (a.id < b.id ? -1 : 1),
};

/** The assets that the filters let through, sorted. */
export function pick(
  assets,
  { q = "", severity = "", site = "", line = "", asset_class = "", state = "", sort = "severity" },
) {
  const parts = q.toLowerCase().split(/\s+/).filter(Boolean);
  const wanted = new Set(severity ? severity.split(",") : []);
  return assets
    .filter((asset) => {
      if (wanted.size && !wanted.has(asset.severity)) return false;
      if (site && siteOf(asset) !== site) return false;
      if (line && lineOf(asset) !== line) return false;
      if (asset_class && asset.class !== asset_class) return false;
      if (state && asset.run_state !== state) return false;
      if (!parts.length) return true;
      const text = [asset.id, asset.class, asset.owner, ...(asset.path ?? [])].join(" ").toLowerCase();
      return parts.every((part) => text.includes(part));
    })
    .sort(by[sort] ?? by.severity);
}

/** Different values of a field, sorted. */
export function values(assets, of) {
  return [...new Set(assets.map(of).filter(Boolean))].sort();
}
