/* The form: speaks the text, and shows it while it is spoken. */

import {copy, find, many} from "../basics/dom.js";
import {languageName, languageOf, secondsOf} from "../basics/languages.js";
import {hideProblem, showProblem} from "../basics/problems.js";
import {bind, settings} from "../basics/settings.js";
import {player} from "../sound/player.js";
import {unlockAudio} from "../sound/sounds.js";
import {languageOfVoice, showVoice} from "../voices/catalogue.js";
import {remember, showHistory} from "./history.js";
import {linkOf} from "./links.js";
import {Reading, showReading} from "./reading.js";
import {languageFor} from "./requests.js";
import {Spoken} from "./spoken.js";

const fault = find("speak-fault");

let reading;
let jobOf;
let spoken = null;

/* `makeJob` takes a text that is too long to be spoken at once. */
export function startSpeaking(makeJob) {
  jobOf = makeJob;
  reading = new Reading(find("reading"), {seek: goTo, toggle: () => (isLoaded() ? player.toggle() : speak()), leave: edit});
  for (const name of ["text", "language"]) bind(find(name), name);
  settings.on(["text", "voice", "language"], showCount);
  find("form").addEventListener("submit", (event) => {
    event.preventDefault();
    speak();
  });
  find("text").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) speak();
  });
  find("edit").addEventListener("click", edit);
  find("insert-voice").addEventListener("change", insertVoice);
  find("copy-link").addEventListener("click", () => copy(linkOf()));
  player.addEventListener("time", ({detail}) => isLoaded() && reading.show(detail));
  showHistory(speak);
  showCount();
}

/* Whether the player has this text, and not a job that was played since. */
const isLoaded = () => spoken !== null && player.sound === spoken.sound;

async function speak() {
  const text = settings.get("text");
  if (!text.trim()) return find("text").focus();
  spoken?.leave();
  hideProblem(fault);
  unlockAudio();
  const mine = (spoken = new Spoken(text));
  load(mine);
  find("speak-button").classList.add("waits");
  try {
    await mine.stream({onBegin: showBegin, onWords: (words) => mine === spoken && reading.add(words)});
    remember();
  } catch (error) {
    showEnd(mine, error);
  } finally {
    if (mine === spoken) find("speak-button").classList.remove("waits");
  }
}

function load(mine) {
  mine.load({
    artist: showVoice(mine.fields.voice),
    estimate: secondsOf(mine.text) / settings.get("speed"),
    onFirst: (seconds) => tellHow(mine, seconds),
    onSave: (ending) => mine.save(ending).catch((error) => showProblem(fault, error)),
  });
  reading.begin(mine.text, languageFor(mine.text, mine.fields.voice) || languageOfVoice(mine.fields.voice));
}

function showBegin() {
  showReading(true);
  find("reading").focus({preventScroll: true});
  find("speak-button").classList.remove("waits");
}

/* Shows why the speech ended before its end. The user may have stopped it. */
function showEnd(mine, error) {
  if (error.name === "AbortError") {
    if (mine.hasBegun) mine.sound.finish();
    else if (mine === spoken) player.tell("Stopped.");
    return;
  }
  edit();
  player.tell(mine.hasBegun ? "The audio is not whole." : "");
  showProblem(fault, error, {again: speak, toJob: () => jobOf(mine.text)});
}

function tellHow({engine, cache}, seconds) {
  const how = [`First sound after ${seconds.toFixed(2)} s`, engine, cache === "hit" && "from the cache"];
  player.tell(how.filter(Boolean).join(" · "));
}

function edit() {
  showReading(false);
  find("text").focus();
}

function goTo(seconds) {
  if (!isLoaded()) return speak();
  player.seek(seconds);
  player.play();
}

function showCount() {
  const text = settings.get("text");
  find("count").textContent = `${many([...text].length, "character")}, about ${Math.ceil(secondsOf(text))} s`;
  const found = settings.get("language") === "text" ? languageOf(text) : "";
  find("language-found").textContent = found ? `This looks like ${languageName(found)}.` : "";
}

/* Writes the tag of a voice at the cursor: from there on, that voice speaks. */
function insertVoice() {
  const field = find("text");
  const at = field.selectionStart;
  const before = at === 0 || /\s$/.test(field.value.slice(0, at)) ? "" : " ";
  edit();
  field.setRangeText(`${before}[${find("insert-voice").value}] `, at, field.selectionEnd, "end");
  settings.set("text", field.value);
  find("insert-voice").value = "";
}
