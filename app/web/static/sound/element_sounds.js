/* Sounds that an <audio> element plays: a whole file, or an mp3 that still comes. Times are seconds of the sound. */

const RATE_HZ = 24000;
const KEPT_SECONDS = 30;
const ENCODER_DELAY_SECONDS = 1105 / RATE_HZ; // silence that the encoder of an mp3 adds at its beginning

export const MP3 = "audio/mpeg";

/* What a sound tells: "blocked" where the browser lets it not play yet, "fail" where it cannot play it. */
export const EVENTS = ["playing", "pause", "waiting", "ended", "blocked", "fail"];

/* A sound in an <audio> element. It tells the events of EVENTS. */
class ElementSound extends EventTarget {
  constructor(audio) {
    super();
    this.audio = audio;
    this.gone = new AbortController();
    for (const name of ["playing", "pause", "waiting", "ended"]) {
      audio.addEventListener(name, () => this.tell(name), {signal: this.gone.signal});
    }
    audio.addEventListener(
      "error",
      () => {
        if (audio.getAttribute("src")) this.tell("fail");
      },
      {signal: this.gone.signal},
    );
  }

  tell(name) {
    this.dispatchEvent(new Event(name));
  }

  setSource(source) {
    if (this.url) URL.revokeObjectURL(this.url);
    this.url = typeof source === "string" ? null : URL.createObjectURL(source);
    this.audio.src = this.url || source;
    this.setRate(this.rate ?? 1);
  }

  get time() {
    return this.audio.currentTime;
  }
  /* A file whose length is not known yet begins there. */
  set time(seconds) {
    this.audio.currentTime = Math.max(0, this.duration ? Math.min(seconds, this.duration) : seconds);
  }
  get duration() {
    return Number.isFinite(this.audio.duration) ? this.audio.duration : 0;
  }
  get isWhole() {
    return true;
  }
  get paused() {
    return this.audio.paused;
  }

  play() {
    this.audio.play().catch((error) => {
      if (error.name === "NotAllowedError") this.tell("blocked");
    });
  }

  pause() {
    this.audio.pause();
  }
  setVolume(volume) {
    this.audio.volume = volume;
  }

  setRate(rate) {
    this.rate = rate;
    this.audio.defaultPlaybackRate = this.audio.playbackRate = rate;
  }

  close() {
    this.gone.abort();
    this.audio.pause();
    this.audio.removeAttribute("src");
    if (this.url) URL.revokeObjectURL(this.url);
  }
}

/* A whole file: an address, or a blob. */
export class FileSound extends ElementSound {
  constructor(audio, source) {
    super(audio);
    this.setSource(source);
  }
}

/* An mp3 that still comes. Where the browser's buffer is full, what was played long ago leaves it until the file is whole. */
export class Mp3Sound extends ElementSound {
  pieces = [];
  waiting = [];
  isEnded = false;

  constructor(audio) {
    super(audio);
    this.source = new MediaSource();
    this.source.addEventListener("sourceopen", () => this.open(), {once: true});
    audio.addEventListener("timeupdate", () => this.pump(), {signal: this.gone.signal});
    this.setSource(this.source);
  }

  open() {
    this.buffer = this.source.addSourceBuffer(MP3);
    this.buffer.timestampOffset = -ENCODER_DELAY_SECONDS;
    this.buffer.addEventListener("updateend", () => this.pump());
    this.pump();
  }

  append(bytes) {
    this.pieces.push(bytes);
    this.waiting.push(bytes);
    this.pump();
  }

  finish() {
    this.isEnded = true;
    this.pump();
  }

  pump() {
    if (!this.buffer || this.buffer.updating || this.source.readyState !== "open") return;
    if (!this.waiting.length) {
      if (this.isEnded) this.isCut ? this.becomeFile() : this.source.endOfStream();
      return;
    }
    try {
      this.buffer.appendBuffer(this.waiting[0]);
      this.waiting.shift();
    } catch (error) {
      if (error.name !== "QuotaExceededError") throw error;
      const until = this.audio.currentTime - KEPT_SECONDS;
      if (until <= this.buffer.buffered.start(0)) return;
      this.isCut = true;
      this.buffer.remove(0, until);
    }
  }

  /* Replaces a stream whose beginning has left the buffer by the whole file. */
  becomeFile() {
    const {time, paused} = this;
    this.buffer = null;
    this.setSource(this.file);
    this.audio.addEventListener(
      "loadedmetadata",
      () => {
        this.time = time;
        if (!paused) this.play();
      },
      {once: true},
    );
  }

  get file() {
    return new Blob(this.pieces, {type: MP3});
  }
  get isWhole() {
    return this.isEnded;
  }

  get duration() {
    const {buffered} = this.audio;
    return super.duration || (buffered.length ? buffered.end(buffered.length - 1) : 0);
  }
}
