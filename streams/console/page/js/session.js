// What this console may do, and signing in.
import { get, post } from "./api.js";

export const session = {
  write: false,
  private: false,
  signedIn: false,
  links: {},
  prefix: "",
  known: false,
  take(found) {
    Object.assign(this, {
      write: found.write,
      private: Boolean(found.private),
      signedIn: found.signed_in,
      links: found.links ?? {},
      prefix: found.prefix ?? "",
      known: true,
    });
    document.dispatchEvent(new Event("session"));
  },
};

/** Names of topics without the prefix of this installation. */
export const bare = (text) => (session.prefix ? String(text).replaceAll(session.prefix, "") : String(text));

/** Sign in with the token; the cookie is the server's. */
export async function signIn(token) {
  await post("login", { token });
  session.take(await get("session"));
}

/** Whether nothing is shown before somebody signs in. */
export const closed = () => session.private && !session.signedIn;

/** Why nothing may be written; empty: it may. */
export function whyNot() {
  if (!session.known) return "Asking what this console may do …";
  if (!session.write)
    return "This console is read-only: it was started without a token. Start it with console.token_file, or use the command line.";
  return session.signedIn ? "" : "Sign in with the console's token to use this.";
}
