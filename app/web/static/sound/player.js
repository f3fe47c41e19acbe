/* The player: one sound at a time, with its controls, the waveform, and the buttons of keyboards and telephones. */

import {clock, find, holdAt, setIcon} from "../basics/dom.js";
import {bind, settings} from "../basics/settings.js";
import {EVENTS} from "./element_sounds.js";
import {Waveform} from "./waveform.js";

class Player extends EventTarget {
  sound = null;
  estimate = 0;

  constructor() {
    super();
    this.chapters = [];
    this.waveform = new Waveform(find("waveform"), (seconds) => this.seek(seconds));
    holdAt(find("rate"), 1, 0.08);
    bind(find("rate"), "rate");
    bind(find("volume"), "volume");
    settings.on(["rate", "volume"], () => this.#adjust());
    find("play").addEventListener("click", () => this.toggle());
    find("stop").addEventListener("click", () => this.stop());
    find("chapter").addEventListener("change", () => {
      this.seek(Number(find("chapter").value));
      this.play();
    });
    this.#adjust();
    this.#bindMediaKeys();
  }

  /* Takes over the sound. `estimate`: seconds that it may have at its end. `onStop`: called when the user stops it. */
  load(sound, {title, artist, estimate = 0, chapters = [], onStop = null}) {
    this.close();
    Object.assign(this, {sound, estimate, onStop, begun: performance.now(), hasBegun: false});
    for (const name of EVENTS) {
      sound.addEventListener(name, () => {
        if (sound === this.sound) this.#onState(name);
      });
    }
    this.waveform.clear();
    this.shown = this.told = null;
    find("player").hidden = false;
    document.body.classList.add("has-player");
    find("playing").textContent = title;
    find("first-sound").textContent = "Waiting for the first sound…";
    this.#showChapters(chapters);
    this.#adjust();
    if ("mediaSession" in navigator) navigator.mediaSession.metadata = new MediaMetadata({title, artist, album: "Koe"});
    this.#keepShowing();
  }

  play() {
    this.sound?.play();
  }
  pause() {
    this.sound?.pause();
  }
  toggle() {
    if (this.sound) this.sound.paused ? this.#playAgain() : this.sound.pause();
  }

  /* Ends what still comes, and goes to the beginning of what has come. */
  stop() {
    this.pause();
    this.onStop?.();
    this.seek(0);
  }

  close() {
    cancelAnimationFrame(this.frame);
    this.sound?.close();
    this.sound = null;
  }

  seek(seconds) {
    if (!this.sound) return;
    this.sound.time = seconds;
    this.#show();
  }

  get time() {
    return this.sound?.time ?? 0;
  }

  /* Says quietly how the sound came. */
  tell(text) {
    find("first-sound").textContent = text;
  }

  #showChapters(chapters) {
    this.chapters = chapters;
    find("chapter-dial").hidden = !chapters.length;
    find("chapter").replaceChildren(...chapters.map(({title, start}) => new Option(title, start)));
  }

  #playAgain() {
    if (this.sound.isWhole && this.sound.time >= this.sound.duration - 0.05) this.sound.time = 0;
    this.sound.play();
  }

  #adjust() {
    find("rate-shown").textContent = `${settings.get("rate")}×`;
    this.sound?.setRate(settings.get("rate"));
    this.sound?.setVolume(settings.get("volume"));
  }

  #onState(name) {
    const isPlaying = name === "playing" || name === "waiting";
    setIcon(find("play"), isPlaying ? "pause" : "play", isPlaying ? "Pause" : "Play");
    if ("mediaSession" in navigator) navigator.mediaSession.playbackState = isPlaying ? "playing" : "paused";
    if (name === "playing" && !this.hasBegun) {
      this.hasBegun = true;
      this.dispatchEvent(new CustomEvent("first", {detail: (performance.now() - this.begun) / 1000}));
    }
    if (name === "blocked") this.tell("Press play to listen. Without a sound, look whether this device has a loudspeaker.");
    if (name === "fail") this.tell("This browser cannot play the file. You can save it.");
    this.dispatchEvent(new Event(name));
    this.#show();
  }

  #keepShowing() {
    this.frame = requestAnimationFrame(() => this.#keepShowing());
    this.#show();
  }

  #show() {
    if (!this.sound) return;
    const {time, duration, isWhole} = this.sound;
    const now = `${Math.round(time * 20)} ${duration} ${isWhole}`;
    if (time !== this.told) this.dispatchEvent(new CustomEvent("time", {detail: time}));
    this.told = time;
    if (now === this.shown) return;
    this.shown = now;
    const expected = isWhole ? duration : Math.max(this.estimate, duration);
    this.waveform.show(time, duration, expected);
    const chapter = this.chapters.findLast(({start}) => start <= time);
    if (chapter) find("chapter").value = chapter.start;
    find("clock").textContent = `${clock(time)} / ${isWhole ? "" : "about "}${clock(expected)}`;
  }

  #bindMediaKeys() {
    if (!("mediaSession" in navigator)) return;
    const by = (seconds) => () => this.seek(this.time + seconds);
    const keys = {
      play: () => this.play(),
      pause: () => this.pause(),
      stop: () => this.stop(),
      seekbackward: by(-10),
      seekforward: by(10),
      seekto: ({seekTime}) => this.seek(seekTime),
    };
    for (const [name, does] of Object.entries(keys)) {
      try {
        navigator.mediaSession.setActionHandler(name, does);
      } catch {
        /* a key that this browser does not know */
      }
    }
  }
}

export const player = new Player();
