/* Captions from the times of words: whole words, at most two lines, a new one after a pause and with another speaker. */

const MAX_CHARS = 84;
const MAX_SECONDS = 7;
const PAUSE_SECONDS = 0.5;
const LINE_CHARS = 42;
const MARKS = /^[^\p{Letter}\p{Number}\s[<(]*/u;
const ENDS_SENTENCE = /[.!?…。！？][)"'”’」』]*$/;

/* Each caption: start, end, text and speaker. `text` is the whole text, from which marks and spaces between words are taken. */
export function captionsOf(words, text) {
  const captions = [];
  let now = null;
  let place = 0;
  for (const word of words) {
    const at = text.indexOf(word.word, place);
    if (at < 0) continue;
    const between = text.slice(place, at);
    place = at + word.word.length;
    const marks = MARKS.exec(text.slice(place, place + MAX_CHARS))[0];
    if (now && isNew(now, word)) now = null;
    if (!now) captions.push((now = {start: word.start, text: "", speaker: word.speaker || ""}));
    else now.text += /\s/.test(between) ? " " : "";
    now.text += word.word + marks;
    now.end = word.end;
  }
  return captions;
}

const isNew = (now, word) =>
  now.text.length + word.word.length + 1 > MAX_CHARS ||
  word.end - now.start > MAX_SECONDS ||
  word.start - now.end > PAUSE_SECONDS ||
  (word.speaker || "") !== now.speaker ||
  ENDS_SENTENCE.test(now.text);

function stamp(seconds, mark) {
  const ms = Math.round(seconds * 1000);
  const pad = (n, digits = 2) => String(Math.floor(n)).padStart(digits, "0");
  return `${pad(ms / 3600000)}:${pad((ms / 60000) % 60)}:${pad((ms / 1000) % 60)}${mark}${pad(ms % 1000, 3)}`;
}

function linesOf(text) {
  if (text.length <= LINE_CHARS) return text;
  const half = text.length / 2;
  const spaces = [...text.matchAll(/ /g)].map((match) => match.index);
  const at = spaces.sort((a, b) => Math.abs(a - half) - Math.abs(b - half))[0] ?? Math.ceil(half);
  return `${text.slice(0, at)}\n${text.slice(at).trimStart()}`;
}

export function writeSrt(words, text) {
  return captionsOf(words, text)
    .map((one, i) => `${i + 1}\n${stamp(one.start, ",")} --> ${stamp(one.end, ",")}\n${linesOf(one.text)}\n`)
    .join("\n");
}

export function writeVtt(words, text) {
  const escaped = (line) => line.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const spoken = (one) => (one.speaker ? `<v ${escaped(one.speaker)}>` : "") + escaped(linesOf(one.text));
  return (
    "WEBVTT\n\n" +
    captionsOf(words, text)
      .map((one) => `${stamp(one.start, ".")} --> ${stamp(one.end, ".")}\n${spoken(one)}\n`)
      .join("\n")
  );
}
