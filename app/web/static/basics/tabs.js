/* The parts of the page: arrows move between the tabs. */

import {find} from "./dom.js";
import {settings} from "./settings.js";

const NAMES = ["speak", "books", "words", "apps"];
const STEPS = {ArrowLeft: -1, ArrowRight: 1};

/* `onOpen` maps a tab to what is called each time it opens. */
export function startTabs(onOpen) {
  const show = () => {
    const now = NAMES.includes(settings.get("tab")) ? settings.get("tab") : NAMES[0];
    for (const name of NAMES) {
      find(name).hidden = name !== now;
      find(`tab-${name}`).setAttribute("aria-selected", name === now);
      find(`tab-${name}`).tabIndex = name === now ? 0 : -1;
    }
    onOpen[now]?.();
  };
  for (const name of NAMES) find(`tab-${name}`).addEventListener("click", () => settings.set("tab", name));
  find("tabs").addEventListener("keydown", (event) => {
    const at = NAMES.indexOf(settings.get("tab"));
    const to = event.key === "Home" ? 0 : event.key === "End" ? NAMES.length - 1 : at + (STEPS[event.key] || 0);
    if (to === at) return;
    event.preventDefault();
    settings.set("tab", NAMES[(to + NAMES.length) % NAMES.length]);
    find(`tab-${settings.get("tab")}`).focus();
  });
  settings.on("tab", show);
  show();
}
