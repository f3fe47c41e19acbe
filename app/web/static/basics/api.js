/* Calls the public routes of this server. A failure is a Problem. */

import {settings} from "./settings.js";

export const SPEECH = "v1/audio/speech";
export const PHONEMIZE = "v1/audio/phonemize";
export const LEXICON = "v1/audio/lexicon";
export const JOBS = "v1/audio/speech/jobs";
export const DOCUMENTS = "v1/audio/documents";
export const VOICES = "v1/audio/voices";
export const MODELS = "v1/audio/models";
export const READY = "readyz";

export class Problem extends Error {
  /* `status` 0: the server did not answer. `code` and `param` are the API's. `retrySeconds`: when a new try may succeed, or null. */
  constructor(message, {status = 0, code = null, param = null, id = null, retrySeconds = null} = {}) {
    super(message);
    Object.assign(this, {status, code, param, id, retrySeconds});
  }
}

export const addressOf = (path) => new URL(path, document.baseURI).href;

function headersOf(body) {
  const key = settings.key.trim();
  if (!/^[\x21-\x7e]*$/.test(key)) throw new Problem("The key has characters that no key has: copy it again.", {status: 401});
  return {...(body && {"Content-Type": "application/json"}), ...(key && {Authorization: "Bearer " + key})};
}

async function problemOf(answer) {
  const told = {status: answer.status, id: answer.headers.get("x-request-id")};
  const retry = Number.parseInt(answer.headers.get("retry-after"), 10);
  if (retry > 0) told.retrySeconds = retry;
  try {
    const {message, code, param} = (await answer.json()).error;
    return new Problem(message, {...told, code, param});
  } catch {
    return new Problem(`The server answered with status ${answer.status}.`, told);
  }
}

/* The answer to a request; `body` is sent as JSON, `form` as a form. */
export async function call(path, {method = "GET", body = null, form = null, signal = null} = {}) {
  let answer;
  try {
    answer = await fetch(path, {method, headers: headersOf(body), body: form || (body && JSON.stringify(body)), signal});
  } catch (error) {
    if (error instanceof Problem || error.name === "AbortError") throw error;
    throw new Problem("The server does not answer. Is Koe still running?");
  }
  if (!answer.ok) throw await problemOf(answer);
  return answer;
}

export const readJson = async (path, options) => (await call(path, options)).json();

/* The events of a stream, each as an object. A stream that ends without its last event is a Problem. */
export async function* eventsOf(answer, isLast) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    let piece;
    try {
      piece = await reader.read();
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Problem("The answer broke off before its end.");
    }
    if (piece.done) throw new Problem("The answer broke off before its end.");
    const lines = (rest + piece.value).split("\n");
    rest = lines.pop();
    for (const line of lines) {
      if (!line.startsWith("data: ")) continue;
      const event = JSON.parse(line.slice(6));
      if (event.type === "error") throw new Problem(event.error.message, {status: 500, code: event.error.code});
      yield event;
      if (isLast(event)) return;
    }
  }
}

/* The bytes of base64. */
export function bytesOf(text) {
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i);
  return bytes;
}
