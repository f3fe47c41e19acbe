/* The loudness of the sound over time, drawn as bars; pressing it seeks. */

import {clock} from "../basics/dom.js";

const PEAKS_A_SECOND = 50;
const RATE_HZ = 24000;
const BAR_PIXELS = 3;
const GAP_PIXELS = 1;
const STEP_SECONDS = 5;
const SIDES = {
  ArrowLeft: -STEP_SECONDS,
  ArrowDown: -STEP_SECONDS,
  ArrowRight: STEP_SECONDS,
  ArrowUp: STEP_SECONDS,
  PageDown: -30,
  PageUp: 30,
};

export class Waveform {
  #peaks = [];
  #decoded = Promise.resolve();
  #run = 0;

  /* `seek` is called with seconds. */
  constructor(element, seek) {
    this.element = element;
    this.canvas = element.querySelector("canvas");
    this.clear();
    element.addEventListener("pointerdown", (event) => {
      element.setPointerCapture(event.pointerId);
      this.dragged = true;
      seek(this.#secondsAt(event));
    });
    element.addEventListener("pointermove", (event) => {
      if (this.dragged) seek(this.#secondsAt(event));
    });
    for (const name of ["pointerup", "pointercancel"])
      element.addEventListener(name, () => {
        this.dragged = false;
      });
    element.addEventListener("keydown", (event) => {
      const to =
        event.key === "Home" ? 0 : event.key === "End" ? this.known : event.key in SIDES ? this.time + SIDES[event.key] : null;
      if (to === null) return;
      event.preventDefault();
      seek(to);
    });
    new ResizeObserver(() => this.draw()).observe(element);
  }

  clear() {
    this.#run += 1;
    this.#peaks = [];
    this.time = this.known = this.expected = 0;
    this.draw();
  }

  /* Adds samples of 24 kHz. */
  addSamples(samples) {
    const step = RATE_HZ / PEAKS_A_SECOND;
    for (let start = 0; start < samples.length; start += step) {
      let peak = 0;
      for (let i = start; i < Math.min(start + step, samples.length); i += 4) peak = Math.max(peak, Math.abs(samples[i]));
      this.#peaks.push(peak);
    }
  }

  /* Adds encoded audio that begins and ends with a frame. */
  addEncoded(bytes) {
    const run = this.#run;
    this.#decoded = this.#decoded.then(async () => {
      const decoder = new OfflineAudioContext(1, 1, RATE_HZ);
      const buffer = await decoder.decodeAudioData(bytes.slice().buffer).catch(() => null);
      if (buffer && run === this.#run) this.addSamples(buffer.getChannelData(0));
    });
  }

  /* Where the sound is, how much of it is there, and how long it may become, in seconds. */
  show(time, known, expected) {
    Object.assign(this, {time, known, expected: Math.max(known, expected)});
    const {element} = this;
    element.setAttribute("aria-valuemax", known.toFixed(1));
    element.setAttribute("aria-valuenow", time.toFixed(1));
    element.setAttribute("aria-valuetext", `${clock(time)} of ${clock(known)}`);
    this.draw();
  }

  #secondsAt(event) {
    const box = this.element.getBoundingClientRect();
    return Math.max(0, (event.clientX - box.left) / box.width) * this.expected;
  }

  draw() {
    const {canvas, element} = this;
    const scale = devicePixelRatio || 1;
    const width = element.clientWidth;
    const height = element.clientHeight;
    if (!width) return;
    if (canvas.width !== width * scale || canvas.height !== height * scale)
      Object.assign(canvas, {width: width * scale, height: height * scale});
    const brush = canvas.getContext("2d");
    const style = getComputedStyle(element);
    brush.setTransform(scale, 0, 0, scale, 0, 0);
    brush.clearRect(0, 0, width, height);
    const nBars = Math.floor(width / (BAR_PIXELS + GAP_PIXELS));
    const perBar = (this.expected * PEAKS_A_SECOND) / nBars;
    for (let bar = 0; bar < nBars; bar++) {
      const from = Math.floor(bar * perBar);
      const peaks = this.#peaks.slice(from, Math.max(from + 1, Math.floor((bar + 1) * perBar)));
      const tall = Math.max(2, Math.min(1, 1.6 * Math.max(0, ...peaks)) * height);
      const isHeard = bar * perBar < this.time * PEAKS_A_SECOND;
      brush.fillStyle = style.getPropertyValue(isHeard ? "--accent" : peaks.length ? "--wave" : "--line");
      brush.fillRect(bar * (BAR_PIXELS + GAP_PIXELS), (height - tall) / 2, BAR_PIXELS, tall);
    }
  }
}
