"use strict";
/* Shows the chosen colours, or those of the system, before the page is drawn. A module would run after that. */

const systemIsDark = matchMedia("(prefers-color-scheme: dark)");
let chosen = "";

/* `choice`: "light", "dark", or "" for the system's. */
function showTheme(choice) {
  chosen = choice;
  document.documentElement.dataset.theme = choice || (systemIsDark.matches ? "dark" : "light");
}

systemIsDark.addEventListener("change", () => showTheme(chosen));
try {
  showTheme(JSON.parse(localStorage.getItem("koe") || "{}").theme || "");
} catch {
  showTheme("");
}
