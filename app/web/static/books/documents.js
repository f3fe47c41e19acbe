/* A file becomes a job: the server reads it, the user ticks chapters. */

import {call, DOCUMENTS, JOBS, Problem, readJson} from "../basics/api.js";
import {clock, find, make, many} from "../basics/dom.js";
import {secondsOf} from "../basics/languages.js";
import {attempt, hideProblem, showProblem} from "../basics/problems.js";
import {settings} from "../basics/settings.js";
import {choicesFor} from "../speak/requests.js";
import {showVoice} from "../voices/catalogue.js";

const FORMATS = ["m4b", "mp3", "opus", "aac", "flac", "wav", "pcm"];
const fault = find("books-fault");
const form = find("document");

/* The document that is shown. */
let read = null;
let created;

/* `onJob` is called when a job was made. */
export function startDocuments(onJob) {
  created = onJob;
  find("file").addEventListener("change", () => {
    const [file] = find("file").files;
    find("file").value = "";
    if (file) upload(file);
  });
  find("book-format").append(...FORMATS.map((name) => new Option(name, name)));
  find("tick-all").addEventListener("click", () => tick(() => true));
  find("tick-none").addEventListener("click", () => tick(() => false));
  find("tick-text").addEventListener("click", () => tick((one) => !one.is_matter));
  find("book-edit").addEventListener("click", edit);
  find("book-close").addEventListener("click", close);
  find("chapter-list").addEventListener("input", count);
  settings.on(["voice", "speed"], () => read && (showVoiceNow(), count()));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  find("book-from-text").addEventListener("click", () => makeJobOf(settings.get("text")));
  acceptDrops();
  if (settings.get("document")) load(settings.get("document"));
}

/* A file may be dropped anywhere on the page. */
function acceptDrops() {
  const isFile = (event) => event.dataTransfer?.types.includes("Files");
  addEventListener("dragover", (event) => {
    if (!isFile(event)) return;
    event.preventDefault();
    document.body.classList.add("drops");
  });
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) document.body.classList.remove("drops");
  });
  addEventListener("drop", (event) => {
    if (!isFile(event)) return;
    event.preventDefault();
    document.body.classList.remove("drops");
    settings.set("tab", "books");
    upload(event.dataTransfer.files[0]);
  });
}

/* A text without a file goes the same way. */
export function makeJobOf(text) {
  settings.set("tab", "books");
  upload(new File([text], "text.txt", {type: "text/plain"}));
}

async function upload(file) {
  hideProblem(fault);
  close();
  find("reading-file").textContent = `The server reads ${file.name}…`;
  const body = new FormData();
  body.append("file", file);
  try {
    const read = await readJson(DOCUMENTS, {method: "POST", form: body});
    settings.set("document", read.id);
    await show(read);
  } catch (error) {
    showProblem(fault, error, {again: () => upload(file)});
  } finally {
    find("reading-file").textContent = "";
  }
}

/* Shows a document again after the page was loaded again; it may have expired. */
async function load(id) {
  try {
    await show(await readJson(`${DOCUMENTS}/${id}`));
  } catch (error) {
    if (error.status === 404) settings.set("document", "");
  }
}

async function show(document) {
  read = document;
  const facts = [read.author, read.kind, many(read.chapters.length, "chapter")];
  find("book-title").value = read.title || read.filename;
  find("book-facts").textContent = facts.filter(Boolean).join(" · ");
  find("chapter-list").replaceChildren(...read.chapters.map(chapterRow));
  form.hidden = false;
  showVoiceNow();
  count();
  await showCover();
}

function close() {
  read = null;
  form.hidden = true;
  settings.set("document", "");
}

/* About how long a chapter is, judged by the letters of its preview. */
const secondsIn = ({n_characters: n, preview}) => (n * secondsOf(preview)) / Math.max(1, preview.length);

function chapterRow(chapter) {
  const preview = make("small", {className: "soft"}, chapter.preview);
  const name = make("span", {className: "grow"}, make("b", {}, chapter.title), preview);
  const length = make("small", {className: "soft"}, clock(secondsIn(chapter)));
  const tick = make("input", {type: "checkbox", checked: !chapter.is_matter});
  return make("li", {}, make("label", {className: "tick"}, tick, name, length));
}

const ticks = () => [...find("chapter-list").querySelectorAll("input")];
const ticked = () => read.chapters.filter((_, i) => ticks()[i].checked);

function tick(isTicked) {
  ticks().forEach((one, i) => {
    one.checked = isTicked(read.chapters[i]);
  });
  count();
}

function count() {
  const chosen = ticked();
  const n = chosen.reduce((sum, one) => sum + one.n_characters, 0);
  const seconds = chosen.reduce((sum, one) => sum + secondsIn(one), 0);
  const length = clock(seconds / settings.get("speed"));
  const chapters = `${chosen.length} of ${many(read.chapters.length, "chapter")}`;
  find("book-sum").textContent = `${chapters}, ${n.toLocaleString()} characters, about ${length} of speech.`;
}

function showVoiceNow() {
  const how = `${showVoice(settings.get("voice"))}, speed ${settings.get("speed")}×`;
  find("book-voice").textContent = `Spoken by ${how}. The voice is chosen under “Speak”.`;
}

/* An <img> cannot send the key, so the picture is read like everything else. */
async function showCover() {
  const picture = find("cover");
  URL.revokeObjectURL(picture.src);
  picture.hidden = !read.has_cover;
  if (read.has_cover) picture.src = URL.createObjectURL(await (await call(`${DOCUMENTS}/${read.id}/cover`)).blob());
}

const submit = () =>
  attempt(fault, async () => {
    const chapters = ticked().map(({index}) => index);
    if (!chapters.length) throw new Problem("No chapter is ticked: tick what is to be spoken.", {status: 400});
    const body = {
      ...choicesFor(
        ticked()
          .map(({preview}) => preview)
          .join("\n"),
      ),
      document: read.id,
      chapters,
      title: find("book-title").value,
      response_format: find("book-format").value,
    };
    if (find("book-captions").checked) body.timestamps = ["word"];
    await call(JOBS, {method: "POST", body});
    close();
    created();
  });

/* Puts the ticked chapters into the form of “Speak”. */
const edit = () =>
  attempt(fault, async () => {
    const texts = [];
    for (const {index} of ticked()) texts.push((await readJson(`${DOCUMENTS}/${read.id}/chapters/${index}`)).text);
    settings.set("text", texts.join("\n\n"));
    settings.set("tab", "speak");
  });
