/* Speaks with the `openai` package for Node as its users do, and prints the results as JSON; the audio goes into files.

    node speak_node.mjs HARNESSES FOLDER KEY PACKAGE

HARNESSES is a JSON object of base URLs: `open`, `locked` (which allows only KEY, once a second), `empty`, `hasty` and `down`.
*/

import { createWriteStream } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

const [harnesses, folder, key, packageName] = process.argv.slice(2);
const HARNESSES = JSON.parse(harnesses);
const { default: OpenAI, APIError } = await import(packageName);

const FORMATS = ["mp3", "opus", "aac", "flac", "wav", "pcm"];
const TEXT = "The birch canoe slid on the smooth planks.";
const MODERN = { model: "gpt-4o-mini-tts", voice: "coral", input: TEXT };
const OLD = { model: "tts-1", voice: "alloy", input: TEXT };
const BREAKING = {
  ...MODERN,
  input: "All is well with the first of these sentences. But at this one the voice breaks.",
};

const client = (harness = "open", options = {}) =>
  new OpenAI({ baseURL: HARNESSES[harness], apiKey: "none", maxRetries: 0, ...options });

async function keep(name, audio) {
  await writeFile(join(folder, name), Buffer.from(audio));
  return name;
}

/* A Node stream for both kinds of body: the newer packages give a web stream, the older one a Node stream. */
const readable = (response) => (response.body.pipe ? response.body : Readable.fromWeb(response.body));

async function audio() {
  const speech = client().audio.speech;
  const whole = await speech.create(OLD);
  const { data, response, request_id } = await speech.create(OLD).withResponse();
  const raw = await speech.create(OLD).asResponse();
  await pipeline(readable(await speech.create(OLD)), createWriteStream(join(folder, "piped")));
  const pieces = [];
  for await (const piece of readable(await speech.create(OLD))) pieces.push(piece);
  const many = await Promise.all(Array.from({ length: 8 }, () => speech.create(OLD)));
  return {
    type: response.headers.get("content-type"),
    request_id: request_id ?? response.headers.get("x-request-id"),
    files: [
      await keep("whole", await whole.arrayBuffer()),
      await keep("data", await data.arrayBuffer()),
      await keep("raw", await (await raw.blob()).arrayBuffer()),
      await keep("pieces", Buffer.concat(pieces)),
      "piped",
      ...(await Promise.all(many.map(async (each, number) => keep(`many_${number}`, await each.arrayBuffer())))),
    ],
  };
}

async function formats() {
  const answers = {};
  for (const name of FORMATS) {
    const response = await client().audio.speech.create({ ...MODERN, response_format: name });
    const file = await keep(`speech.${name}`, await response.arrayBuffer());
    answers[name] = { type: response.headers.get("content-type"), file };
  }
  return answers;
}

/* Reads the events of a response into `events`, line by line, so that events before a failure are seen too. */
async function readEvents(response, events) {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const piece of readable(response)) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split("\n");
    rest = lines.pop();
    for (const line of lines) if (line) events.push(JSON.parse(line.replace(/^data: /, "")));
  }
  return events;
}

const told = (events) => ({ types: events.map((event) => event.type), last: { ...events.at(-1), audio: null } });

const joined = (events) =>
  Buffer.concat(
    events.filter((event) => event.type === "speech.audio.delta").map((event) => Buffer.from(event.audio, "base64")),
  );

async function events() {
  const answers = {};
  for (const name of FORMATS) {
    const response = await client().audio.speech.create({ ...MODERN, response_format: name, stream_format: "sse" });
    const got = await readEvents(response, []);
    const file = await keep(`sse.${name}`, joined(got));
    answers[name] = { type: response.headers.get("content-type"), ...told(got), file };
  }
  return answers;
}

async function oldModelEvents() {
  const response = await client().audio.speech.create({ ...OLD, stream_format: "sse" });
  return { type: response.headers.get("content-type"), file: await keep("old_model", await response.arrayBuffer()) };
}

function classesOf(error) {
  const names = [];
  for (let one = error.constructor; one?.name; one = Object.getPrototypeOf(one)) names.push(one.name);
  return names;
}

async function raised(ask) {
  try {
    await ask();
  } catch (error) {
    if (!(error instanceof APIError)) return { class: error.constructor.name, classes: classesOf(error) };
    const headers = error.headers;
    const header = headers?.get ? headers.get("x-request-id") : headers?.["x-request-id"];
    return {
      class: error.constructor.name,
      classes: classesOf(error),
      status_code: error.status ?? null,
      code: error.code ?? null,
      param: error.param ?? null,
      type: error.type ?? null,
      request_id: error.requestID ?? error.request_id ?? null,
      header_request_id: header ?? null,
      message: error.message,
    };
  }
  return { class: null };
}

async function errors() {
  const speak =
    (fields = {}, harness = "open", options = {}, more = {}) =>
    () =>
      client(harness, options).audio.speech.create({ ...OLD, ...fields }, more);
  const asks = {
    wrong_key: speak({}, "locked", { apiKey: "sk-a-wrong-key-of-many-letters" }),
    speed: speak({ speed: 5 }),
    voice: speak({ voice: "zzz" }),
    no_voice: speak({ voice: undefined }),
    long: speak({ input: "a".repeat(5000) }),
    format: speak({ response_format: "ogg" }),
    model: speak({ model: "X" }),
    model_page: () => client().models.retrieve("X"),
    huge: speak({ input: "a".repeat(2 ** 20) }),
    not_loaded: speak({ model: "espeak" }),
    no_worker: speak({}, "empty"),
    too_slow: speak({ input: "This one waits." }, "hasty"),
    no_patience: speak({ input: "And this one waits." }, "open", { timeout: 300 }),
    down: speak({}, "down"),
    breaks: async () => (await speak(BREAKING)()).arrayBuffer(),
    mine: speak({ speed: 5 }, "open", {}, { headers: { "x-request-id": "mine-1" } }),
  };
  const answers = {};
  for (const [name, ask] of Object.entries(asks)) answers[name] = await raised(ask);
  return answers;
}

async function breakingEvents() {
  const events = [];
  const error = await raised(async () => {
    await readEvents(await client().audio.speech.create({ ...BREAKING, stream_format: "sse" }), events);
  });
  return { ...told(events), raised: error.class };
}

async function retries() {
  const seen = [];
  const watched = async (url, options) => {
    const response = await fetch(url, options);
    seen.push({ status: response.status, at: performance.now() / 1000, retry_after: response.headers.get("retry-after") });
    return response;
  };
  const patient = client("locked", { apiKey: key, maxRetries: 2, fetch: watched });
  await (await patient.audio.speech.create(OLD)).arrayBuffer();
  const refused = await raised(() => patient.audio.speech.create(OLD, { maxRetries: 0 }));
  await (await patient.audio.speech.create(OLD)).arrayBuffer();
  return { refused, seen };
}

async function models() {
  const listed = [];
  for await (const model of client().models.list()) listed.push(model.id);
  return { listed, one: { ...(await client().models.retrieve("tts-1")) } };
}

const report = {
  audio: await audio(),
  formats: await formats(),
  events: await events(),
  old_model_events: await oldModelEvents(),
  errors: await errors(),
  breaking_events: await breakingEvents(),
  breaking_audio: (await raised(async () => (await client().audio.speech.create(BREAKING)).arrayBuffer())).class,
  retries: await retries(),
  models: await models(),
};
console.log(JSON.stringify(report));
process.exit(0);
