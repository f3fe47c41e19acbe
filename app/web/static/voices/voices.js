/* The cards of the voices: hear one, choose one, keep favourites. */

import {find, icon, make} from "../basics/dom.js";
import {languageName, sampleOf} from "../basics/languages.js";
import {settings} from "../basics/settings.js";
import {playSample} from "../sound/samples.js";
import {catalogue, findVoice, showVoice} from "./catalogue.js";

const MODEL = "gpt-4o-mini-tts";

/* Draws the voices, and again when the filters or favourites change. */
export function showVoices() {
  const languages = [...new Set(catalogue.voices.map((voice) => voice.language))];
  find("voice-language").append(...languages.map((tag) => new Option(languageName(tag), tag)));
  find("language").append(...languages.map((tag) => new Option(languageName(tag), tag)));
  find("insert-voice").append(
    ...catalogue.voices.map((voice) => new Option(`${voice.shortName}, ${languageName(voice.language)}`, voice.id)),
  );
  find("voice-list").replaceChildren(...catalogue.voices.map(card));
  for (const id of ["voice-search", "voice-language", "voice-gender", "voice-favourites"])
    find(id).addEventListener("input", filter);
  find("voice-all").addEventListener("click", showAll);
  find("choose-voice").addEventListener("click", goToVoices);
  settings.on("favourites", filter);
  settings.on("voice", mark);
  filter();
  mark();
}

function card(voice) {
  const pick = make("input", {type: "radio", name: "voice", value: voice.id});
  pick.addEventListener("change", () => settings.set("voice", voice.id));
  const tags = voice.aliases.map((alias) => make("span", {className: "tag"}, alias));
  const grade = voice.grade
    ? [make("span", {className: `grade grade-${voice.grade[0]}`, title: "Grade by the makers of the voice"}, voice.grade)]
    : [];
  const facts = [languageName(voice.language), voice.gender].filter(Boolean).join(", ");
  const label = make(
    "label",
    {},
    pick,
    make("b", {}, voice.shortName),
    ...grade,
    make("small", {}, facts),
    make("small", {className: "tags"}, make("code", {}, voice.id), ...tags),
  );
  const hear = make(
    "button",
    {type: "button", className: "round hear", "aria-label": `Hear ${voice.shortName}, ${facts}`},
    icon("play"),
  );
  hear.addEventListener("click", () => playSample({model: MODEL, voice: voice.id, input: sampleOf(voice)}, hear));
  const element = make("li", {className: `voice ${voice.gender}`}, hear, label, star(voice));
  Object.assign(element, {
    voice,
    pick,
    searched: [voice.id, voice.name, voice.gender, voice.language, ...voice.aliases].join(" ").toLowerCase(),
  });
  return element;
}

function star(voice) {
  const made = make(
    "button",
    {type: "button", className: "round star", "aria-label": `Favourite: ${voice.shortName}`},
    icon("star"),
  );
  const show = () => made.setAttribute("aria-pressed", settings.get("favourites").includes(voice.id));
  made.addEventListener("click", () => {
    const others = settings.get("favourites").filter((id) => id !== voice.id);
    settings.set("favourites", others.length < settings.get("favourites").length ? others : [...others, voice.id]);
  });
  settings.on("favourites", show);
  show();
  return made;
}

function filter() {
  const words = find("voice-search").value.toLowerCase().split(/\s+/);
  const favourites = settings.get("favourites");
  const language = find("voice-language").value;
  const gender = find("voice-gender").value;
  const isFavourite = find("voice-favourites").checked;
  let n = 0;
  for (const element of find("voice-list").children) {
    const {voice, searched} = element;
    const isShown =
      words.every((word) => searched.includes(word)) &&
      (!language || voice.language === language) &&
      (!gender || voice.gender === gender) &&
      (!isFavourite || favourites.includes(voice.id));
    element.hidden = !isShown;
    n += isShown;
  }
  find("voice-none").hidden = n > 0;
}

/* On a telephone the voices are below the text. */
function goToVoices() {
  const chosen = [...find("voice-list").children].find(({pick, hidden}) => pick.checked && !hidden);
  find("voices-title").scrollIntoView({block: "start"});
  (chosen?.pick || find("voice-search")).focus({preventScroll: true});
}

function showAll() {
  for (const id of ["voice-search", "voice-language", "voice-gender"]) find(id).value = "";
  find("voice-favourites").checked = false;
  filter();
  find("voice-search").focus();
}

/* Marks the chosen voice. A blend marks none. */
function mark() {
  const chosen = findVoice(settings.get("voice"))?.id;
  for (const {pick} of find("voice-list").children) pick.checked = pick.value === chosen;
  find("choose-voice").textContent = showVoice(settings.get("voice"));
  find("choose-voice").setAttribute("aria-label", `Voice: ${showVoice(settings.get("voice"))}. Choose another one`);
}
