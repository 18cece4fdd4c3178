// The address of every state: #/page/id?filter=value. Reading and writing it, nothing else.

// a stray % is no reason to show nothing
const decode = (text) => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

/** Take a hash apart: {page, id, query}. */
export function parse(hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const cut = path.indexOf("/");
  const page = (cut < 0 ? path : path.slice(0, cut)) || "fleet";
  return { page, id: cut < 0 ? "" : decode(path.slice(cut + 1)), query: new URLSearchParams(query) };
}

/** Put a hash together; empty values are left out. */
export function href(page, id = "", query = {}) {
  const search = new URLSearchParams(
    Object.entries(query).filter(([, value]) => value !== "" && value !== null && value !== undefined),
  );
  const text = search.toString();
  return `#/${page}${id ? `/${encodeURIComponent(id)}` : ""}${text ? `?${text}` : ""}`;
}

/** Change the query of the present address without a new entry in the history and without drawing the page again. */
export function adjust(changes) {
  const { page, id, query } = parse(location.hash);
  for (const [name, value] of Object.entries(changes)) {
    if (value === "" || value === null || value === undefined) query.delete(name);
    else query.set(name, value);
  }
  history.replaceState(null, "", href(page, id, Object.fromEntries(query)));
}

/** The hash of a path as the server's links have it: /alert/<id>, /asset?id=<id>&partition=2. */
export function fromPath(path) {
  const [place, search = ""] = path.split("?", 2); // not by URL(): "//x" would be another server's
  const [, page = "", id = ""] = place.split("/");
  const query = Object.fromEntries(new URLSearchParams(search));
  if (page !== "asset") return href(page || "fleet", decode(id), query);
  const { id: asset = "", ...rest } = query;
  return href("asset", asset, rest);
}
