/* Speaks with the Vercel AI SDK (`ai` and `@ai-sdk/openai`) as its users do, and prints the results as JSON.

    node speak_ai_sdk.mjs HARNESSES FOLDER

HARNESSES is a JSON object of base URLs; only `open` and `down` are used.
*/

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createOpenAI } from "@ai-sdk/openai";
import { APICallError, generateSpeech, RetryError } from "ai";

const [harnesses, folder] = process.argv.slice(2);
const HARNESSES = JSON.parse(harnesses);
const FORMATS = ["mp3", "opus", "aac", "flac", "wav", "pcm"];
const TEXT = "The birch canoe slid on the smooth planks.";

const server = (harness) => createOpenAI({ baseURL: HARNESSES[harness], apiKey: "none" });

const speak = (fields = {}, { model = "tts-1", harness = "open" } = {}) =>
  generateSpeech({ model: server(harness).speech(model), text: TEXT, voice: "alloy", maxRetries: 0, ...fields });

async function keep(name, { audio, warnings }) {
  await writeFile(join(folder, name), audio.uint8Array);
  return { file: name, type: audio.mediaType, warnings: warnings.length };
}

async function raised(ask) {
  try {
    await ask();
  } catch (error) {
    const cause = RetryError.isInstance(error) ? error.lastError : error;
    if (!APICallError.isInstance(cause)) return { class: cause.name, message: cause.message };
    const { statusCode, message, data, isRetryable } = cause;
    return { class: cause.name, status_code: statusCode ?? null, message, code: data?.error?.code ?? null, isRetryable };
  }
  return { class: null };
}

const formats = {};
for (const name of FORMATS) formats[name] = await keep(`speech.${name}`, await speak({ outputFormat: name }));

const report = {
  formats,
  directed: await keep("directed", await speak({ speed: 1.5, instructions: "Whisper." }, { model: "gpt-4o-mini-tts" })),
  kokoro: await keep("kokoro", await speak({}, { model: "hexgrad/Kokoro-82M" })),
  errors: {
    speed: await raised(() => speak({ speed: 5 })),
    voice: await raised(() => speak({ voice: "zzz" })),
    model: await raised(() => speak({}, { model: "X" })),
    not_loaded: await raised(() => speak({}, { model: "espeak" })),
    down: await raised(() => speak({}, { harness: "down" })),
  },
};
console.log(JSON.stringify(report));
process.exit(0);
