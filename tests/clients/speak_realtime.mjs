/* Has texts read by a Realtime socket of the `openai` package for Node, and prints the results as JSON; the samples go into files.

    node speak_realtime.mjs KIND HARNESSES FOLDER TEXTS

KIND is `ws` for the socket of servers, or `browser` for the one of browsers. HARNESSES is a JSON object of base URLs, of which
`tls` is used, since these sockets always use TLS; TEXTS has `text`, its `sentences`, `next` and `broken_off`.
*/

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import OpenAI from "openai";
import { OpenAIRealtimeWebSocket } from "openai/realtime/websocket";
import { OpenAIRealtimeWS } from "openai/realtime/ws";

const [kind, harnesses, folder, texts] = process.argv.slice(2);
const TEXTS = JSON.parse(texts);
const MODEL = "gpt-realtime";
const SESSION = { type: "realtime", output_modalities: ["audio"], audio: { output: { voice: "coral" } } };
const SLOW_MS = 10;

const client = new OpenAI({ baseURL: JSON.parse(harnesses).tls, apiKey: "none" });

/* A message of the user with a part for each piece. */
const message = (pieces) => ({
  type: "message",
  role: "user",
  content: pieces.map((text) => ({ type: "input_text", text })),
});

/* A response beside the conversation. */
const beside = (pieces, more = {}) => ({
  type: "response.create",
  response: { conversation: "none", input: [message(pieces)], instructions: "Read it word for word.", ...more },
});

const threesOf = (text) => text.match(/.{1,3}/gs);

/* The events of a connection, in order, for one reader. */
class Line {
  constructor(Socket, owner) {
    this.realtime = new Socket({ model: MODEL }, owner);
    this.events = [];
    this.wake = () => {};
    const take = (event) => {
      this.events.push(event);
      this.wake();
    };
    this.realtime.on("event", take);
    this.realtime.on("error", (error) => take({ type: "error", error: error.error ?? error }));
  }

  async next() {
    while (!this.events.length) await new Promise((resolve) => (this.wake = resolve));
    return this.events.shift();
  }

  async until(type) {
    for (;;) {
      const event = await this.next();
      if (event.type === type) return event;
      if (event.type === "error") throw new Error(event.error.message);
    }
  }

  send(event) {
    this.realtime.send(event);
  }
}

class Ear {
  constructor() {
    this.audio = {};
    this.transcripts = {};
    this.done = [];
    this.errors = [];
  }

  hear(event) {
    if (event.type === "response.output_audio.delta") {
      (this.audio[event.response_id] ??= []).push(Buffer.from(event.delta, "base64"));
    } else if (event.type === "response.output_audio_transcript.delta") {
      this.transcripts[event.response_id] = (this.transcripts[event.response_id] ?? "") + event.delta;
    } else if (event.type === "response.done") {
      this.done.push(event.response);
    } else if (event.type === "error") {
      this.errors.push(event.error.code ?? event.error.message);
    }
  }

  async told(name, response) {
    await writeFile(join(folder, name), Buffer.concat(this.audio[response.id]));
    return {
      transcript: this.transcripts[response.id] ?? "",
      final: response.output[0].content[0].transcript,
      status: response.status,
      errors: this.errors,
    };
  }
}

/* What the next response says. */
async function hear(line, name, ear = new Ear()) {
  while (!ear.done.length) ear.hear(await line.next());
  return ear.told(name, ear.done[0]);
}

async function read(line, name, pieces) {
  line.send(beside(pieces));
  return hear(line, name);
}

/* Asks for each sentence when it is there, as an agent does, while the ones before are spoken. */
async function readSentences(line, sentences) {
  const ear = new Ear();
  for (const [number, sentence] of sentences.entries()) {
    line.send(beside([sentence], { metadata: { number: String(number) } }));
    await sleep(SLOW_MS);
  }
  while (ear.done.length < sentences.length) ear.hear(await line.next());
  const inOrder = ear.done.sort((one, other) => one.metadata.number - other.metadata.number);
  return Promise.all(inOrder.map((response, number) => ear.told(`sentence-${number}`, response)));
}

/* Adds a message to the conversation, and asks for a response. */
function ask(line, text) {
  line.send({ type: "conversation.item.create", item: message([text]) });
  line.send({ type: "response.create" });
}

async function readTurn(line, name, text) {
  ask(line, text);
  return hear(line, name);
}

/* Cancels a response at its first audio. */
async function breakOff(line, name) {
  ask(line, TEXTS.broken_off);
  const ear = new Ear();
  while (!Object.keys(ear.audio).length) ear.hear(await line.next());
  line.send({ type: "response.cancel" });
  return hear(line, name, ear);
}

async function open(Socket, owner) {
  const line = new Line(Socket, owner);
  await line.until("session.created");
  line.send({ type: "session.update", session: SESSION });
  await line.until("session.updated");
  return line;
}

/* Connects as a page does, with a secret. */
async function readWithSecret(Socket, name) {
  const { value } = await client.realtime.clientSecrets.create({ session: { ...SESSION, model: MODEL } });
  const page = new OpenAI({ baseURL: client.baseURL, apiKey: value });
  const line = await open(Socket, page);
  const told = await read(line, name, [TEXTS.text]);
  line.realtime.close();
  return told;
}

const Socket = kind === "ws" ? OpenAIRealtimeWS : OpenAIRealtimeWebSocket;
const line = await open(Socket, client);
const report = {
  fast: await read(line, "fast", [TEXTS.text]),
  threes: await read(line, "threes", threesOf(TEXTS.text)),
  sentences: await readSentences(line, TEXTS.sentences),
  turn: await readTurn(line, "turn", TEXTS.text),
  broken_off: await breakOff(line, "broken_off"),
  next: await readTurn(line, "next", TEXTS.next),
  secret: await readWithSecret(Socket, "secret"),
};
line.realtime.close();
console.log(JSON.stringify(report));
process.exit(0);
