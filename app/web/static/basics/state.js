/* Which engine speaks, and whether the server is there. */

import {READY, VOICES} from "./api.js";
import {find, many} from "./dom.js";

const NAMES = {kokoro: "Kokoro", espeak: "espeak-ng", tone: "a test tone"};
const LOOK_AGAIN_MS = 10000;
const AWAY_MS = 3000;

/* What requests need to know of the server. */
export const server = {engine: null};

/* Looks now and again. `onBack` is called when the server answers after a time without. */
export async function watchState(onBack) {
  let isAway = true;
  for (;;) {
    if (!document.hidden) {
      const now = await look();
      show(now);
      if (now !== null && isAway) onBack();
      isAway = now === null;
    }
    await new Promise((resume) => setTimeout(resume, isAway ? AWAY_MS : LOOK_AGAIN_MS));
  }
}

async function look() {
  const ready = await answerOf(READY);
  if (ready?.status) return ready;
  // Some proxies keep `readyz` private. The list of voices tells the engine too.
  const voices = (await answerOf(VOICES))?.voices;
  return voices ? {engine: voices[0].engine, status: voices[0].engine ? "ready" : "unavailable"} : null;
}

async function answerOf(path) {
  try {
    return await (await fetch(path)).json();
  } catch {
    return null;
  }
}

function show(now) {
  const isReady = now?.status === "ready";
  const engine = NAMES[now?.engine] || now?.engine;
  server.engine = now?.engine ?? null;
  find("state").className = isReady ? "ready" : "away";
  find("state").textContent =
    now === null ? "The server cannot be reached; trying again" : isReady ? describe(now, engine) : "Nobody is there to speak";
  find("server-facts").textContent = find("state").textContent + ".";
  const notice = now?.notice || "";
  find("notice").textContent =
    isReady && now.engine !== "kokoro" && notice ? `This is ${engine}, not Kokoro. ${notice}` : notice;
  find("notice").hidden = !notice;
}

function describe(now, engine) {
  const nWaiting = now.queue ? now.queue.interactive + now.queue.batch : 0;
  const speaks = `${engine} speaks` + (now.weights ? ` (${now.weights} weights)` : "");
  return [speaks, now.workers && many(now.workers, "worker"), nWaiting && `${nWaiting} waiting`].filter(Boolean).join(", ");
}
