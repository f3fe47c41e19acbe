/* The jobs of this key: their progress, their sound, their files. */

import {call, JOBS, readJson} from "../basics/api.js";
import {button, clock, find, make, many, saveFile} from "../basics/dom.js";
import {attempt, showProblem} from "../basics/problems.js";
import {settings} from "../basics/settings.js";
import {FileSound} from "../sound/element_sounds.js";
import {player} from "../sound/player.js";
import {showVoice} from "../voices/catalogue.js";

const LOOK_MS = 2000;
const A_PAGE = 20;
const SAYS = {
  queued: "Waits for its turn",
  in_progress: "Being spoken",
  completed: "Done",
  failed: "Failed",
  cancelled: "Cancelled",
};
const fault = find("books-fault");
const rows = new Map();
let timer = 0;
let nWanted = A_PAGE;

export function startJobs() {
  find("jobs-more").addEventListener("click", () => {
    nWanted += A_PAGE;
    look();
  });
  document.addEventListener("visibilitychange", look);
}

/* Shows the jobs, and again every 2 s as long as one of them goes on and somebody can see it. */
export async function look() {
  clearTimeout(timer);
  if (document.hidden || settings.get("tab") !== "books") return;
  let isRunning = true;
  try {
    const {data, has_more: hasMore} = await readJson(`${JOBS}?limit=${Math.min(100, nWanted)}`);
    show(data, hasMore);
    isRunning = data.some((job) => isOpen(job));
    find("jobs-state").textContent = "";
  } catch (error) {
    find("jobs-state").textContent = error.message;
    if (error.status === 401) return showProblem(fault, error, {again: look});
  }
  clearTimeout(timer);
  if (isRunning) timer = setTimeout(look, LOOK_MS);
}

const isOpen = ({status}) => status === "queued" || status === "in_progress";

function show(jobs, hasMore) {
  const ids = new Set(jobs.map((job) => job.id));
  for (const [id, row] of rows)
    if (!ids.has(id)) {
      row.element.remove();
      rows.delete(id);
    }
  jobs.forEach((job, place) => {
    if (!rows.has(job.id)) rows.set(job.id, createRow(job));
    const row = rows.get(job.id);
    const list = find("job-list");
    row.show(job);
    if (list.children[place] !== row.element) list.insertBefore(row.element, list.children[place] || null);
  });
  find("jobs-none").hidden = jobs.length > 0;
  find("jobs-more").hidden = !hasMore;
}

/* A row changes in place, so that a button keeps the focus. */
function createRow(first) {
  const title = make("b", {className: "grow"}, nameOf(first));
  const state = make("span", {className: "tag"});
  const bar = make("progress", {"aria-label": `Progress of ${nameOf(first)}`});
  const facts = make("p", {className: "soft"});
  const actions = make("div", {className: "bar"});
  const element = make("li", {className: "job"}, make("div", {className: "bar"}, title, state), bar, facts, actions);
  let shown = "";
  return {
    element,
    show(job) {
      state.textContent = SAYS[job.status];
      state.className = `tag ${job.status}`;
      bar.hidden = !isOpen(job);
      if (job.progress.segments_total)
        Object.assign(bar, {max: job.progress.segments_total, value: job.progress.segments_done});
      facts.textContent = factsOf(job);
      if (shown === job.status) return;
      shown = job.status;
      actions.replaceChildren(...actionsOf(job));
    },
  };
}

const nameOf = (job) => job.title || job.id;

function factsOf(job) {
  const {progress, error} = job;
  const {parts_done: nDone, parts_total: nParts, seconds_left: left} = progress;
  const how = `${showVoice(job.voice)} · ${job.response_format}`;
  if (job.status === "completed")
    return `${how} · ${clock(job.duration_seconds)} · kept until ${new Date(job.expires_at * 1000).toLocaleDateString()}`;
  if (error) return `${how} · ${error.message}`;
  if (job.status !== "in_progress") return how;
  return [
    how,
    nParts && `part ${Math.min(nDone + 1, nParts)} of ${nParts}`,
    `${clock(progress.audio_seconds)} spoken`,
    left != null && `about ${roughly(left)} left`,
  ]
    .filter(Boolean)
    .join(" · ");
}

const roughly = (seconds) =>
  seconds < 90
    ? `${Math.ceil(seconds)} s`
    : seconds < 5400
      ? many(Math.round(seconds / 60), "minute")
      : `${(seconds / 3600).toFixed(1)} hours`;

function actionsOf(job) {
  const named = (text, does) => button(text, () => attempt(fault, does), {"aria-label": `${text}: ${nameOf(job)}`});
  const one = `${JOBS}/${job.id}`;
  if (isOpen(job)) return [named("Cancel", () => call(`${one}/cancel`, {method: "POST"}).then(look))];
  const remove = named("Delete", () => call(one, {method: "DELETE"}).then(look));
  if (job.status !== "completed") return [remove];
  const captions = job.has_captions
    ? ["srt", "vtt"].map((format) => named(format.toUpperCase(), () => save(`${one}/captions?format=${format}`, job, format)))
    : [];
  return [
    named("Play", () => play(job)),
    named("Save", () => save(`${one}/content`, job, job.response_format)),
    ...captions,
    remove,
  ];
}

async function save(path, job, ending) {
  if (!settings.key && !path.includes("captions")) return make("a", {href: path, download: ""}).click();
  saveFile(
    await (await call(path)).blob(),
    `${nameOf(job)
      .replace(/[\\/:*?"<>|]+/g, " ")
      .slice(0, 100)}.${ending}`,
  );
}

/* Without a key the browser reads the file piece by piece; a player cannot send a key, so with one the whole file is read. */
async function play(job) {
  const path = `${JOBS}/${job.id}/content`;
  const captions = job.has_captions ? (await readJson(`${JOBS}/${job.id}/captions?format=json`)).cues : [];
  const source = settings.key ? await (await call(path)).blob() : path;
  const about = {title: nameOf(job), artist: showVoice(job.voice), chapters: job.chapters || []};
  const sound = player.load((audio) => new FileSound(audio, source), about);
  player.tell("");
  if (captions.length) followCaptions(sound, captions);
  player.play();
}

/* Shows what is said, below the title. */
function followCaptions(sound, captions) {
  const show = ({detail}) => {
    if (player.sound !== sound) return player.removeEventListener("time", show);
    player.tell(captions.find(({start, end}) => start <= detail && detail < end)?.text ?? "");
  };
  player.addEventListener("time", show);
}
