/* The form: speaks the text, shows it while it is spoken, and saves it. */

import {addressOf} from "../basics/api.js";
import {writeSrt, writeVtt} from "./captions.js";
import {languageOfVoice, showVoice} from "../voices/catalogue.js";
import {copy, find, many, saveFile} from "../basics/dom.js";
import {remember, showHistory} from "./history.js";
import {languageName, languageOf} from "../basics/languages.js";
import {Mp3Frames} from "../sound/mp3_frames.js";
import {player} from "../sound/player.js";
import {hideProblem, showProblem} from "../basics/problems.js";
import {Reading, showReading} from "./reading.js";
import {fieldsOf, languageFor} from "./requests.js";
import {bind, settings} from "../basics/settings.js";
import {canStreamMp3, openStream, unlockAudio} from "../sound/sounds.js";
import {readFile, stream} from "../sound/speech.js";
import {samplesOf} from "../sound/wav.js";

const SECONDS_A_CHAR = 0.065;
const SECONDS_A_WIDE_CHAR = 0.195;
const PEAKS_BYTES = 4000;
const FORMATS = ["mp3", "opus", "aac", "flac", "wav", "pcm"];
const SHARED = ["text", "voice", "language", "speed"];
const fault = find("speak-fault");

let reading;
let jobOf;
let run = null;
let spoken = null;

/* `makeJob` takes a text that is too long to be spoken at once. */
export function startSpeaking(makeJob) {
  jobOf = makeJob;
  reading = new Reading(find("reading"), {seek: goTo, toggle: () => player.toggle(), leave: edit});
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
  find("save").append(...[...FORMATS, "srt", "vtt"].map((name) => new Option(name, name)));
  find("save").addEventListener("change", save);
  player.addEventListener("time", ({detail}) => reading.show(detail));
  showHistory(speak);
  showCount();
}

/* Takes text and choices from the address, which `linkOf` wrote. */
export function readLink() {
  const asked = new URLSearchParams(location.hash.slice(1));
  if (!asked.has("text") && !asked.has("voice")) return;
  for (const name of SHARED)
    if (asked.has(name)) settings.set(name, name === "speed" ? Number(asked.get(name)) || 1 : asked.get(name));
  settings.set("tab", "speak");
  history.replaceState(null, "", location.pathname + location.search);
}

/* The part after # is not sent to a server. */
function linkOf() {
  const shared = Object.fromEntries(SHARED.map((name) => [name, settings.get(name)]));
  return `${addressOf("./")}#${new URLSearchParams(shared)}`;
}

async function speak() {
  const text = settings.get("text");
  if (!text.trim()) return find("text").focus();
  stop();
  hideProblem(fault);
  unlockAudio();
  const fields = fieldsOf(text);
  const voice = settings.get("voice");
  const mine = (run = new AbortController());
  const sound = openStream(find("audio"));
  const frames = new Mp3Frames();
  spoken = {fields, text, sound, words: reading.words};
  player.load(sound, {
    title: titleOf(text),
    artist: showVoice(voice),
    estimate: secondsOf(text) / settings.get("speed"),
    onStop: stop,
  });
  player.addEventListener(
    "first",
    ({detail}) => {
      spoken.first = detail;
      tellHow();
    },
    {once: true},
  );
  sound.play();
  reading.begin(text, languageFor(text, voice) || languageOfVoice(voice));
  spoken.words = reading.words;
  find("speak-button").classList.add("waits");
  let isRead = false;
  try {
    await stream(fields, {
      signal: mine.signal,
      onStart: (headers) => Object.assign(spoken, {engine: headers.get("x-koe-engine"), cache: headers.get("x-koe-cache")}),
      onWords: (words) => reading.add(words),
      onAudio: (bytes) => {
        if (!isRead) {
          isRead = true;
          showReading(true);
          find("reading").focus({preventScroll: true});
          find("speak-button").classList.remove("waits");
        }
        sound.append(bytes);
        addPeaks(frames, bytes);
      },
    });
    sound.finish();
    addPeaks(frames, new Uint8Array(0), true);
    remember();
  } catch (error) {
    if (error.name === "AbortError") return isRead ? sound.finish() : player.tell("Stopped.");
    edit();
    player.tell(isRead ? "The audio is not whole." : "");
    showProblem(fault, error, {again: speak, toJob: () => jobOf(text)});
  } finally {
    if (run === mine) {
      run = null;
      find("speak-button").classList.remove("waits");
    }
  }
}

function addPeaks(frames, bytes, isLast = false) {
  if (!canStreamMp3) return player.waveform.addSamples(samplesOf(bytes));
  const whole = frames.add(bytes, isLast ? 1 : PEAKS_BYTES);
  if (whole) player.waveform.addEncoded(whole);
}

function tellHow() {
  const {first, engine, cache} = spoken;
  player.tell(
    [`First sound after ${first.toFixed(2)} s`, engine, cache === "hit" ? "from the cache" : ""].filter(Boolean).join(" · "),
  );
}

function stop() {
  run?.abort();
  run = null;
}

function edit() {
  showReading(false);
  find("text").focus();
}

function goTo(seconds) {
  player.seek(seconds);
  player.play();
}

/* The first line, without the tags of voices. */
const titleOf = (text) =>
  text
    .replaceAll(/\[[^[\]\n]*\]\s*/g, "")
    .trim()
    .split("\n")[0]
    .slice(0, 60);

function secondsOf(text) {
  const nWide = text.match(/[\p{Script=Han}\u3040-\u30ff]/gu)?.length || 0;
  return nWide * SECONDS_A_WIDE_CHAR + (text.length - nWide) * SECONDS_A_CHAR;
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
  const {selectionStart: at, value} = field;
  const before = at === 0 || /\s$/.test(value.slice(0, at)) ? "" : " ";
  edit();
  field.setRangeText(`${before}[${find("insert-voice").value}] `, at, field.selectionEnd, "end");
  settings.set("text", field.value);
  find("insert-voice").value = "";
}

async function save() {
  const format = find("save").value;
  find("save").value = "";
  if (!spoken || !format) return;
  const name = `${
    titleOf(spoken.text)
      .replace(/[^\p{Letter}\p{Number}]+/gu, "-")
      .slice(0, 40) || "speech"
  }.${format}`;
  if (format === "srt" || format === "vtt") {
    const written = (format === "srt" ? writeSrt : writeVtt)(spoken.words, spoken.text);
    return saveFile(new Blob([written], {type: format === "srt" ? "application/x-subrip" : "text/vtt"}), name);
  }
  if (format === "mp3" && spoken.sound.isWhole && spoken.sound.file.type === "audio/mpeg")
    return saveFile(spoken.sound.file, name);
  try {
    saveFile(await readFile(spoken.fields, format), name);
  } catch (error) {
    showProblem(fault, error);
  }
}
