/* Samples that still come, played by Web Audio.

Why an <audio> element takes over when they are whole: it changes the speed at the same pitch, and telephones play it on when
the screen is off. */

import {EVENTS, FileSound} from "./element_sounds.js";
import {stretch} from "./stretch.js";
import {samplesOf, wavOf} from "./wav.js";

const RATE_HZ = 24000;
const AHEAD_SECONDS = 0.6;
const PIECE_SECONDS = 0.2;
const LOOK_MS = 40;
const BLOCKED_MS = 3000;

/* Shared by all sounds: browsers allow few contexts, and one that a press of a button has started stays allowed. */
let context = null;

export function unlockContext() {
  context ||= new AudioContext();
  context.resume();
}

/* The <audio> element takes over at the first pause or seek after the samples are whole. */
export class PcmSound extends EventTarget {
  samples = new Float32Array(RATE_HZ * 60);
  n = 0;
  played = []; // what was given to Web Audio: when it begins and ends there, and where in the sound
  next = 0; // the place, in samples, of what is given next
  at = 0; // the place in seconds while it is paused
  rate = 1;
  paused = true;
  isWhole = false;

  constructor(audio) {
    super();
    this.audio = audio;
    this.output = context.createGain();
    this.output.connect(context.destination);
  }

  tell(name) {
    this.dispatchEvent(new Event(name));
  }

  /* Whole samples: the API never divides one. */
  append(bytes) {
    const samples = samplesOf(bytes);
    if (this.n + samples.length > this.samples.length) {
      const larger = new Float32Array(2 * (this.n + samples.length));
      larger.set(this.samples);
      this.samples = larger;
    }
    this.samples.set(samples, this.n);
    this.n += samples.length;
    this.fill();
  }

  finish() {
    this.isWhole = true;
    if (this.paused) this.becomeFile();
    else this.fill();
  }

  /* Gives Web Audio what it plays within the next moments. */
  fill() {
    if (this.paused || this.element) return;
    while (this.next < this.n && this.until - context.currentTime < AHEAD_SECONDS) this.give();
    if (this.isWaiting !== false && this.played[0]?.begin < context.currentTime) {
      this.isWaiting = false;
      this.tell("playing");
    }
    if (this.next < this.n || context.currentTime < this.until) return;
    if (this.isWhole) this.end();
    else if (!this.isWaiting) {
      this.isWaiting = true;
      this.tell("waiting");
    }
  }

  get until() {
    return this.played.length ? this.played[this.played.length - 1].end : 0;
  }

  give() {
    const length = Math.min(Math.round(PIECE_SECONDS * RATE_HZ * this.rate), this.n - this.next);
    const {piece, follows} = stretch(this.samples.subarray(0, this.n), this.next, length, this.rate, RATE_HZ, this.follows);
    this.follows = follows;
    const buffer = context.createBuffer(1, piece.length, RATE_HZ);
    const source = context.createBufferSource();
    buffer.copyToChannel(piece, 0);
    source.buffer = buffer;
    source.connect(this.output);
    const begin = Math.max(this.until, context.currentTime + 0.02);
    source.start(begin);
    this.played.push({
      source,
      begin,
      end: begin + buffer.duration,
      from: this.next / RATE_HZ,
      to: (this.next + length) / RATE_HZ,
    });
    this.next += length;
  }

  get time() {
    if (this.element) return this.element.time;
    if (this.paused) return this.at;
    const now = context.currentTime - (context.outputLatency || 0);
    while (this.played.length > 1 && this.played[1].begin <= now) this.played.shift();
    if (!this.played.length) return this.at;
    const {begin, end, from, to} = this.played[0];
    return from + (to - from) * Math.max(0, Math.min(1, (now - begin) / (end - begin)));
  }

  set time(seconds) {
    const {paused} = this;
    this.halt();
    this.at = Math.max(0, Math.min(seconds, this.duration));
    if (this.isWhole) this.becomeFile();
    if (this.element) this.element.time = this.at;
    if (!paused) this.play();
  }

  get duration() {
    return this.n / RATE_HZ;
  }

  play() {
    if (this.element) {
      this.paused = false;
      return this.element.play();
    }
    if (!this.paused) return;
    this.paused = false;
    this.isWaiting = this.follows = null;
    this.next = Math.round(this.at * RATE_HZ);
    this.timer = setInterval(() => this.fill(), LOOK_MS);
    setTimeout(() => {
      if (!this.paused && this.n && context.state !== "running") {
        this.halt();
        this.tell("blocked");
      }
    }, BLOCKED_MS);
    context.resume();
    this.fill();
  }

  pause() {
    if (this.paused) return;
    this.at = this.time;
    this.halt();
    if (this.isWhole) this.becomeFile();
    this.tell("pause");
  }

  halt() {
    this.element?.pause();
    clearInterval(this.timer);
    for (const {source} of this.played) source.stop();
    this.played = [];
    this.paused = true;
  }

  end() {
    this.halt();
    this.at = this.duration;
    this.becomeFile();
    this.tell("ended");
  }

  setVolume(volume) {
    this.output.gain.value = volume;
    this.element?.setVolume(volume);
  }

  setRate(rate) {
    const {time, paused} = this;
    this.rate = rate;
    if (this.element) return this.element.setRate(rate);
    if (!paused) this.time = time;
  }

  becomeFile() {
    if (this.element) return;
    this.element = new FileSound(this.audio, this.file);
    this.element.setRate(this.rate);
    this.element.setVolume(this.output.gain.value);
    this.element.time = this.at;
    for (const name of EVENTS) {
      this.element.addEventListener(name, () => {
        this.paused = this.audio.paused;
        this.tell(name);
      });
    }
  }

  get file() {
    return wavOf(this.samples.subarray(0, this.n));
  }

  close() {
    this.halt();
    this.element?.close();
    this.output.disconnect();
  }
}
