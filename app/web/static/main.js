/* Starts the parts of the page. */

import {startApps} from "./apps.js";
import {MODELS, readJson} from "./basics/api.js";
import {find, holdAt} from "./basics/dom.js";
import {bind, settings} from "./basics/settings.js";
import {watchState} from "./basics/state.js";
import {startTabs} from "./basics/tabs.js";
import {makeJobOf, startDocuments} from "./books/documents.js";
import {look, startJobs} from "./books/jobs.js";
import {readLink} from "./speak/links.js";
import {startSpeaking} from "./speak/speaking.js";
import {showBlend} from "./voices/blends.js";
import {loadVoices} from "./voices/catalogue.js";
import {showVoices} from "./voices/voices.js";
import {openWords, startWords} from "./words.js";

readLink();
addEventListener("hashchange", readLink);
startOptions();
startSpeaking(makeJobOf);
startWords();
startApps();
startJobs();
startDocuments(look);
startTabs({books: look, words: openWords});
watchState(loadLists);

let hasLists = false;

/* The lists of voices and models, once the server is there. */
async function loadLists() {
  if (hasLists) return;
  hasLists = true;
  try {
    const [{models}] = await Promise.all([readJson(MODELS), loadVoices()]);
    find("model").append(...models.map(({id}) => new Option(id, id)));
    find("model").value = settings.get("model");
    showVoices();
    showBlend();
    find("language").value = settings.get("language");
  } catch {
    hasLists = false;
  }
}

function startOptions() {
  find("open-options").addEventListener("click", () => find("options").showModal());
  holdAt(find("speed"), 1, 0.1);
  for (const name of ["theme", "model", "speed", "normalize"]) bind(find(name), name);
  const show = () => {
    globalThis.showTheme(settings.get("theme"));
    find("speed-shown").textContent = `${settings.get("speed")}×`;
  };
  settings.on(["theme", "speed"], show);
  show();
  find("key").value = settings.key;
  find("key").addEventListener("change", () => {
    settings.key = find("key").value;
  });
  for (const dialog of document.querySelectorAll("dialog")) {
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close();
    });
  }
}
