/* Links that fill the form. The part after # is not sent to a server. */

import {addressOf} from "../basics/api.js";
import {settings} from "../basics/settings.js";

const SHARED = ["text", "voice", "language", "speed"];

export function linkOf() {
  const shared = Object.fromEntries(SHARED.map((name) => [name, settings.get(name)]));
  return `${addressOf("./")}#${new URLSearchParams(shared)}`;
}

/* Takes text and choices from the address. A later reload does not take them again. */
export function readLink() {
  const asked = new URLSearchParams(location.hash.slice(1));
  if (!asked.has("text") && !asked.has("voice")) return;
  for (const name of SHARED) {
    if (asked.has(name)) settings.set(name, name === "speed" ? Number(asked.get(name)) || 1 : asked.get(name));
  }
  settings.set("tab", "speak");
  history.replaceState(null, "", location.pathname + location.search);
}
