/* What stays in this browser: text, choices, favourites, words and history, in one entry. The key stays in its tab. */

const NAME = "koe";
const KEY = "koe-key";

export const DEFAULTS = {
  tab: "speak",
  text:
    "Good morning. I am a voice on your own machine, and nothing that you write here leaves it. " +
    "Press Speak, and then any word, to hear it again.",
  voice: "af_heart",
  language: "voice",
  model: "",
  speed: 1,
  normalize: true,
  rate: 1,
  volume: 1,
  theme: "",
  favourites: [],
  words: [],
  history: [],
  program: "curl",
  document: "",
};

const LISTS = ["favourites", "words", "history"];

function load() {
  try {
    return {...DEFAULTS, ...JSON.parse(localStorage.getItem(NAME) || "{}")};
  } catch {
    return {...DEFAULTS};
  }
}

function loadKey() {
  try {
    return sessionStorage.getItem(KEY) || "";
  } catch {
    return "";
  }
}

class Settings extends EventTarget {
  #values = load();
  #key = loadKey();

  get(name) {
    return this.#values[name];
  }

  /* Keeps the value and tells it: the event has the name of the setting. */
  set(name, value) {
    if (this.#values[name] === value) return;
    this.#values[name] = value;
    try {
      localStorage.setItem(NAME, JSON.stringify(this.#values));
    } catch {
      /* a full or forbidden storage: the value lasts as long as the page */
    }
    this.dispatchEvent(new Event(name));
  }

  on(names, listener) {
    for (const name of [names].flat()) this.addEventListener(name, listener);
  }

  get key() {
    return this.#key;
  }

  set key(key) {
    this.#key = key;
    try {
      sessionStorage.setItem(KEY, key);
    } catch {
      /* as above */
    }
    this.dispatchEvent(new Event("key"));
  }

  /* Two tabs share the entry. Lists of the other one are taken over; each has a text and choices of its own. */
  takeLists() {
    const others = load();
    for (const name of LISTS) {
      this.#values[name] = others[name];
      this.dispatchEvent(new Event(name));
    }
  }
}

export const settings = new Settings();
addEventListener("storage", (event) => {
  if (event.key === NAME) settings.takeLists();
});

/* Binds a field to the setting of the same name. */
export function bind(field, name) {
  const isTick = field.type === "checkbox";
  const isNumber = field.type === "range";
  const read = () => (isTick ? field.checked : isNumber ? field.valueAsNumber : field.value);
  const show = () => {
    if (read() === settings.get(name)) return;
    if (isTick) field.checked = settings.get(name);
    else field.value = settings.get(name);
  };
  show();
  settings.on(name, show);
  field.addEventListener("input", () => settings.set(name, read()));
}
