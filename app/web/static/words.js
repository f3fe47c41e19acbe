/* How words are said: asked of the server, corrected by ear, kept in this browser or given to the server. */

import {call, LEXICON, PHONEMIZE, readJson} from "./basics/api.js";
import {button, find, make, toast} from "./basics/dom.js";
import {attempt} from "./basics/problems.js";
import {settings} from "./basics/settings.js";
import {playSample} from "./sound/samples.js";
import {languageOfVoice} from "./voices/catalogue.js";

const MODEL = "gpt-4o-mini-tts";
const ALL_LANGUAGES = "*";
const SIGNS = {
  ˈ: "stress before the vowel",
  ˌ: "weaker stress",
  A: "day",
  I: "my",
  O: "go",
  W: "now",
  Y: "boy",
  i: "see",
  ɪ: "sit",
  u: "too",
  ʊ: "book",
  ɛ: "bed",
  æ: "cat",
  ɑ: "father",
  ɔ: "law",
  ʌ: "cup",
  ɜ: "bird, before ɹ",
  ə: "about",
  ᵊ: "button",
  ᵻ: "boxes",
  b: "b",
  d: "d",
  f: "f",
  ɡ: "go",
  h: "h",
  j: "yes",
  k: "k",
  l: "l",
  m: "m",
  n: "n",
  ŋ: "sing",
  p: "p",
  ɹ: "red",
  s: "s",
  t: "t",
  v: "v",
  w: "w",
  z: "z",
  ʃ: "she",
  ʒ: "measure",
  ʧ: "church",
  ʤ: "job",
  θ: "thin",
  ð: "this",
  ɾ: "water, American",
  T: "butter, American",
};
const fault = find("words-fault");
const typed = () => ({word: find("word").value.trim(), phonemes: find("word-phonemes").value.trim()});

export function startWords() {
  find("word-form").addEventListener("submit", (event) => {
    event.preventDefault();
    ask();
  });
  find("word-ask").addEventListener("click", ask);
  find("word-hear").addEventListener("click", () => hear(typed(), find("word-hear")));
  find("word-keep").addEventListener("click", keep);
  find("word-give").addEventListener("click", give);
  find("sounds").append(
    ...Object.entries(SIGNS).map(([sign, like]) =>
      button(sign, () => insert(sign), {title: like, "aria-label": `${sign}: ${like}`}),
    ),
  );
  settings.on("words", showOwn);
  showOwn();
}

const ask = () =>
  attempt(fault, async () => {
    const {word} = typed();
    if (!word) return find("word").focus();
    const body = {input: word, voice: settings.get("voice"), normalize: false};
    const {segments} = await readJson(PHONEMIZE, {method: "POST", body});
    find("word-phonemes").value = segments
      .map((segment) => segment.phonemes)
      .join(" ")
      .trim();
    find("word-phonemes").focus();
  });

function hear({word, phonemes}, pressed) {
  if (!word) return find("word").focus();
  const fields = {model: MODEL, voice: settings.get("voice"), input: word};
  playSample(phonemes ? {...fields, pronunciations: {[word]: phonemes}} : fields, pressed);
}

function keep() {
  const entry = typed();
  if (!entry.word || !entry.phonemes) return find(entry.word ? "word-phonemes" : "word").focus();
  settings.set("words", [entry, ...settings.get("words").filter(({word}) => word !== entry.word)]);
  toast(`“${entry.word}” is kept in this browser.`);
}

const give = () =>
  attempt(fault, async () => {
    const entry = typed();
    if (!entry.word || !entry.phonemes) return find(entry.word ? "word-phonemes" : "word").focus();
    await call(LEXICON, {method: "PUT", body: {...entry, language: languageOfVoice(settings.get("voice")).split("-")[0]}});
    toast(`The server says “${entry.word}” so from now on.`);
    await loadLexicon();
  });

function insert(sign) {
  const field = find("word-phonemes");
  field.setRangeText(sign, field.selectionStart, field.selectionEnd, "end");
  field.focus();
}

function showOwn() {
  const remove = (word) =>
    settings.set(
      "words",
      settings.get("words").filter((other) => other.word !== word),
    );
  draw(find("own-words"), settings.get("words"), (entry) => remove(entry.word));
}

export async function loadLexicon() {
  const {data} = await readJson(LEXICON);
  draw(find("server-words"), data, (entry) =>
    attempt(fault, async () => {
      await call(`${LEXICON}/${encodeURIComponent(entry.language)}/${encodeURIComponent(entry.word)}`, {method: "DELETE"});
      await loadLexicon();
    }),
  );
}

/* Called when the tab is opened. */
export const openWords = () => attempt(fault, loadLexicon);

function draw(list, entries, remove) {
  list.replaceChildren(
    ...entries.map((entry) => {
      const play = button("Hear", () => hear(entry, play), {"aria-label": `Hear ${entry.word}`});
      const change = button(
        "Change",
        () => Object.assign(find("word"), {value: entry.word}) && Object.assign(find("word-phonemes"), {value: entry.phonemes}),
        {"aria-label": `Change ${entry.word}`},
      );
      const language =
        entry.language && entry.language !== ALL_LANGUAGES ? [make("small", {className: "tag"}, entry.language)] : [];
      return make(
        "li",
        {className: "bar"},
        make("b", {}, entry.word),
        make("code", {className: "grow"}, entry.phonemes),
        ...language,
        play,
        change,
        button("Delete", () => remove(entry), {"aria-label": `Delete ${entry.word}`}),
      );
    }),
  );
  if (!entries.length) list.append(make("li", {className: "soft"}, "There are none."));
}
