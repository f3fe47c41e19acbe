/* The player: one sound at a time, with its controls, the waveform, and the buttons of keyboards and telephones. */

import {clock, find, holdAt, setIcon} from "../basics/dom.js";
import {bind, settings} from "../basics/settings.js";
import {EVENTS} from "./element_sounds.js";
import {Waveform} from "./waveform.js";

class Player extends EventTarget {
  sound = null;
  #about = {};

  constructor() {
    super();
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
    find("save").addEventListener("change", () => {
      if (find("save").value) this.#about.onSave(find("save").value);
      find("save").value = "";
    });
    this.#adjust();
    this.#bindMediaKeys();
  }

  /* Opens a sound in the player's element with `open`, and returns it. `about` has `title` and `artist`, and where there are any: `estimate`, the seconds that it may have at
  its end; `chapters`, each with `title` and `start`; `endings`, what `onSave` saves it as; `onFirst`, called with the seconds
  until it was heard; `onStop`, called when the user stops it. */
  load(open, about) {
    this.close();
    const sound = open(find("audio"));
    this.#about = {estimate: 0, chapters: [], endings: [], ...about};
    Object.assign(this, {sound, begun: performance.now(), hasBegun: false});
    for (const name of EVENTS) {
      sound.addEventListener(name, () => {
        if (sound === this.sound) this.#onState(name);
      });
    }
    this.waveform.clear();
    this.shown = this.told = null;
    find("player").hidden = false;
    document.body.classList.add("has-player");
    find("playing").textContent = about.title;
    find("first-sound").textContent = "Waiting for the first sound…";
    this.#showMenus();
    this.#adjust();
    this.#tellSystem();
    this.#keepShowing();
    return sound;
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
    this.#about.onStop?.();
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

  #showMenus() {
    const {chapters, endings} = this.#about;
    find("chapter-dial").hidden = !chapters.length;
    find("chapter").replaceChildren(...chapters.map(({title, start}) => new Option(title, start)));
    find("save-dial").hidden = !endings.length;
    find("save").replaceChildren(new Option("…", ""), ...endings.map((name) => new Option(name, name)));
  }

  #tellSystem() {
    const {title, artist} = this.#about;
    if ("mediaSession" in navigator) navigator.mediaSession.metadata = new MediaMetadata({title, artist, album: "Koe"});
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
      this.#about.onFirst?.((performance.now() - this.begun) / 1000);
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
    const expected = isWhole ? duration : Math.max(this.#about.estimate, duration);
    this.waveform.show(time, duration, expected);
    const chapter = this.#about.chapters.findLast(({start}) => start <= time);
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
