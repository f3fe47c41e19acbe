/* The last 20 texts that were spoken, with their choices. */

import {button, find, make} from "../basics/dom.js";
import {settings} from "../basics/settings.js";
import {showVoice} from "../voices/catalogue.js";

const MOST = 20;
const SHOWN_CHARS = 80;
const KEPT_CHARS = 20000;
const CHOICES = ["text", "voice", "language", "model", "speed", "normalize"];

/* Keeps what is spoken now. A very long text is not kept: the storage of a page is small. */
export function remember() {
  if (settings.get("text").length > KEPT_CHARS) return;
  const entry = Object.fromEntries(CHOICES.map((name) => [name, settings.get(name)]));
  const others = settings.get("history").filter((other) => CHOICES.some((name) => other[name] !== entry[name]));
  settings.set("history", [{...entry, at: Date.now()}, ...others].slice(0, MOST));
}

/* `speak` is called when an entry is chosen, after its text and choices are set. */
export function showHistory(speak) {
  find("open-history").addEventListener("click", () => {
    draw(speak);
    find("history").showModal();
  });
  find("history-clear").addEventListener("click", () => {
    settings.set("history", []);
    draw(speak);
  });
}

function draw(speak) {
  const all = settings.get("history");
  find("history-none").hidden = all.length > 0;
  find("history-clear").hidden = !all.length;
  find("history-list").replaceChildren(
    ...all.map((entry) => {
      const text = entry.text.length > SHOWN_CHARS ? entry.text.slice(0, SHOWN_CHARS) + "…" : entry.text;
      const when = new Date(entry.at).toLocaleString([], {dateStyle: "medium", timeStyle: "short"});
      const take = button("", () => {
        for (const name of CHOICES) settings.set(name, entry[name]);
        find("history").close();
        speak();
      });
      take.append(make("span", {}, text), make("small", {className: "soft"}, `${showVoice(entry.voice)}, ${when}`));
      return make("li", {}, take);
    }),
  );
}
