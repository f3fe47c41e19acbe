/* A file becomes a job: the server reads it, the user ticks chapters. */

import {call, DOCUMENTS, JOBS, Problem, readJson} from "../basics/api.js";
import {showVoice} from "../voices/catalogue.js";
import {button, clock, find, make, many} from "../basics/dom.js";
import {hideProblem, showProblem} from "../basics/problems.js";
import {fieldsOf} from "../speak/requests.js";
import {settings} from "../basics/settings.js";

const SECONDS_A_CHAR = 0.065, FORMATS = ["m4b", "mp3", "opus", "aac", "flac", "wav", "pcm"];
const fault = find("books-fault"), form = find("document");

let created, cover = null;

/* `onJob` is called when a job was made. */
export function startDocuments(onJob) {
  created = onJob;
  find("file").addEventListener("change", () => {
    const [file] = find("file").files;
    find("file").value = "";
    if (file) upload(file);
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
  addEventListener("dragleave", (event) => { if (!event.relatedTarget) document.body.classList.remove("drops"); });
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

function close() {
  form.hidden = true;
  form.replaceChildren();
  if (cover) URL.revokeObjectURL(cover);
  cover = null;
  settings.set("document", "");
}

async function show(read) {
  const title = make("input", {name: "title", value: read.title || read.filename, maxLength: 200});
  const format = make("select", {name: "format"}, ...FORMATS.map((name) => new Option(name, name)));
  const captions = make("input", {type: "checkbox", name: "captions"});
  const chapters = read.chapters.map(chapterRow), ticks = chapters.map((row) => row.querySelector("input"));
  const sum = make("p", {className: "soft", role: "status"});
  const tick = (isTicked) => { ticks.forEach((one, i) => { one.checked = isTicked(read.chapters[i]); }); count(); };
  const count = () => { sum.textContent = describe(read, ticks); };
  const ticked = () => ticks.flatMap((one, i) => (one.checked ? [read.chapters[i].index] : []));
  const voice = make("p", {className: "soft grow"});
  const showVoiceNow = () => { voice.textContent = `Spoken by ${showVoice(settings.get("voice"))}, speed ${settings.get("speed")}×. The voice is chosen under “Speak”.`; };
  settings.on(["voice", "speed"], showVoiceNow);
  showVoiceNow();
  form.replaceChildren(
    make("div", {className: "book"}, ...await coverOf(read), make("div", {className: "grow"}, make("label", {}, "Title ", title),
      make("p", {className: "soft"}, [read.author, read.kind, many(read.chapters.length, "chapter")].filter(Boolean).join(" · ")))),
    make("fieldset", {}, make("legend", {}, "Chapters"),
      make("div", {className: "bar"}, button("All", () => tick(() => true)), button("None", () => tick(() => false)), button("The text only", () => tick((one) => !one.is_matter))),
      make("ul", {className: "chapter-list"}, ...chapters)),
    sum,
    make("div", {className: "bar"}, make("label", {}, "Format ", format), make("label", {className: "tick"}, captions, " Captions"), voice),
    make("div", {className: "bar"}, make("button", {className: "main-action"}, "Make the audio"), button("Edit as text", () => take(read, ticked())), button("Close the file", close)),
  );
  form.oninput = count;
  form.onsubmit = (event) => {
    event.preventDefault();
    submit(read, {title: title.value, chapters: ticked(), format: format.value, hasCaptions: captions.checked});
  };
  count();
  form.hidden = false;
}

function chapterRow({index, title, n_characters: n, preview, is_matter: isMatter}) {
  const tick = make("input", {type: "checkbox", checked: !isMatter, name: `chapter-${index}`});
  return make("li", {}, make("label", {className: "tick"}, tick, make("span", {className: "grow"}, make("b", {}, title), make("small", {className: "soft"}, preview)),
    make("small", {className: "soft"}, clock(n * SECONDS_A_CHAR))));
}

function describe(read, ticks) {
  const ticked = read.chapters.filter((_, i) => ticks[i].checked), n = ticked.reduce((sum, one) => sum + one.n_characters, 0);
  return `${many(ticked.length, "chapter")} of ${read.chapters.length}, ${n.toLocaleString()} characters, about ${clock((n * SECONDS_A_CHAR) / settings.get("speed"))} of speech.`;
}

/* An <img> cannot send the key, so the picture is read like everything else. */
async function coverOf(read) {
  if (!read.has_cover) return [];
  try {
    cover = URL.createObjectURL(await (await call(`${DOCUMENTS}/${read.id}/cover`)).blob());
    return [make("img", {src: cover, alt: "", className: "cover"})];
  } catch {
    return [];
  }
}

async function submit(read, {title, chapters, format, hasCaptions}) {
  hideProblem(fault);
  const {input, ...fields} = fieldsOf("");
  const body = {...fields, document: read.id, chapters, title, response_format: format, ...(hasCaptions && {timestamps: ["word"]})};
  try {
    if (!chapters.length) throw new Problem("No chapter is ticked: tick what is to be spoken.", {status: 400});
    await call(JOBS, {method: "POST", body});
    close();
    created();
  } catch (error) {
    showProblem(fault, error, {again: () => submit(read, {title, chapters, format, hasCaptions})});
  }
}

/* Puts the ticked chapters into the form of “Speak”. */
async function take(read, chapters) {
  try {
    const texts = [];
    for (const index of chapters) texts.push((await readJson(`${DOCUMENTS}/${read.id}/chapters/${index}`)).text);
    settings.set("text", texts.join("\n\n"));
    settings.set("tab", "speak");
  } catch (error) {
    showProblem(fault, error, {again: () => take(read, chapters)});
  }
}
