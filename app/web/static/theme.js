"use strict";
/* Sets the chosen colours before the page is drawn. A module would run after that. */
try {
  document.documentElement.dataset.theme = JSON.parse(localStorage.getItem("koe") || "{}").theme || "";
} catch {
  /* a browser without storage has the colours of the system */
}
