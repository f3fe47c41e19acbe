/* Short sounds beside the player: the samples of voices, and words. What was heard once is kept until the page closes. */

import {setIcon} from "../basics/dom.js";
import {showProblem} from "../basics/problems.js";
import {FileSound} from "./element_sounds.js";
import {player} from "./player.js";
import {openStream, unlockAudio} from "./sounds.js";
import {stream} from "./speech.js";

const audio = new Audio();
const kept = new Map();
let now = null;

/* Plays the speech of the fields, or stops it where `button` plays it already. */
export async function playSample(fields, button) {
  const isSame = now?.button === button;
  stopSample();
  if (isSame) return;
  player.pause();
  unlockAudio();
  const name = JSON.stringify(fields);
  const file = kept.get(name);
  const run = (now = {button, leave: new AbortController()});
  button.classList.add("waits");
  const sound = (run.sound = file ? new FileSound(audio, file) : openStream(audio));
  sound.addEventListener("playing", () => show(run, true));
  sound.addEventListener("ended", () => {
    if (now === run) stopSample();
  });
  sound.play();
  if (file) return;
  try {
    await stream(fields, {signal: run.leave.signal, onAudio: (bytes) => sound.append(bytes)});
    sound.finish();
    kept.set(name, sound.file);
  } catch (error) {
    if (error.name === "AbortError") return;
    if (now === run) stopSample();
    const fault = button.closest("[role=tabpanel]").querySelector(".fault");
    showProblem(fault, error, {again: () => playSample(fields, button)});
  }
}

export function stopSample() {
  if (!now) return;
  const run = now;
  now = null;
  run.leave.abort();
  run.sound.close();
  show(run, false);
}

function show(run, isPlaying) {
  run.button.classList.remove("waits");
  if (!run.button.querySelector("use")) return;
  run.label ||= run.button.getAttribute("aria-label") || run.button.textContent;
  setIcon(run.button, isPlaying ? "stop" : "play", run.label);
}

player.addEventListener("playing", stopSample);
