/* The text while it is spoken: the word that is said lights up, and a press on a word goes there. */

import {find, make} from "../basics/dom.js";

const TAG = /(\[[^[\]\n]+\]|^[\w()+. ]+:(?= ))/m;
const isCalm = matchMedia("(prefers-reduced-motion: reduce)");

export class Reading {
  words = [];
  #spans = [];
  #place = 0;
  #now = -1;

  /* `seek` is called with seconds, `toggle` for the space key, `leave` for Escape. */
  constructor(element, {seek, toggle, leave}) {
    this.element = element;
    element.addEventListener("click", (event) => {
      const number = this.#spans.indexOf(event.target);
      if (number >= 0) seek(this.words[number].start);
    });
    element.addEventListener("keydown", (event) => {
      const step = {ArrowLeft: -1, ArrowRight: 1}[event.key];
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (step && this.words.length) seek(this.words[Math.max(0, Math.min(this.words.length - 1, this.#now + step))].start);
      else if (event.key === " ") toggle();
      else if (event.key === "Escape") leave();
      else return;
      event.preventDefault();
    });
  }

  begin(text, language) {
    this.text = text;
    this.words = [];
    this.#spans = [];
    this.#place = 0;
    this.#now = -1;
    this.rest = document.createTextNode(text);
    this.element.replaceChildren(this.rest);
    this.element.lang = language;
    this.element.scrollTop = 0;
  }

  /* Adds words with their times; each is looked for after the one before. */
  add(words) {
    for (const word of words) {
      const at = this.text.indexOf(word.word, this.#place);
      if (at < 0 || !word.word) continue;
      const span = make("span", {className: "word"}, word.word);
      if (word.speaker) span.title = word.speaker;
      const before = this.text.slice(this.#place, at);
      this.rest.before(...withTags(before), span);
      this.#place = at + word.word.length;
      this.rest.deleteData(0, before.length + word.word.length);
      this.words.push(word);
      this.#spans.push(span);
    }
  }

  /* Lights the word that is said at `seconds`; none in a long pause after one. */
  show(seconds) {
    const number = this.#numberAt(seconds);
    if (number === this.#now) return;
    this.#spans[this.#now]?.removeAttribute("aria-current");
    this.#now = number;
    const span = this.#spans[number];
    if (!span) return;
    span.setAttribute("aria-current", "true");
    this.#keepInSight(span);
  }

  get current() {
    return this.words[this.#now] ?? null;
  }

  #numberAt(seconds) {
    let low = 0;
    let high = this.words.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.words[middle].start <= seconds + 0.001) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  #keepInSight(span) {
    const box = this.element.getBoundingClientRect();
    const at = span.getBoundingClientRect();
    if (at.top >= box.top && at.bottom <= box.bottom) return;
    this.element.scrollBy({top: at.top - box.top - box.height / 3, behavior: isCalm.matches ? "auto" : "smooth"});
  }
}

/* The tags of voices in a piece of text are not said, and look so. */
const withTags = (text) => text.split(TAG).map((part) => (TAG.test(part) ? make("span", {className: "who"}, part) : part));

/* Shows the text to read or the field to edit. */
export function showReading(isReading) {
  find("reading").hidden = !isReading;
  find("text").hidden = isReading;
  find("edit").hidden = !isReading;
}
