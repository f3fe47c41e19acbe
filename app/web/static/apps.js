/* Settings and code for other programs, with the address of this server filled in. */

import {addressOf, SPEECH} from "./basics/api.js";
import {copy, find} from "./basics/dom.js";
import {fieldsOf} from "./speak/requests.js";
import {bind, settings} from "./basics/settings.js";

const json = (value) => JSON.stringify(value);
const shell = (text) => "'" + text.replaceAll("'", "'\\''") + "'";

/* Each: its name, a sentence, and what to copy. `base` is the base URL, `fields` the request of the form. */
const PROGRAMS = {
  curl: [
    "curl",
    "The request of this page, for a terminal.",
    ({fields, hasKey}) =>
      [
        `curl ${addressOf(SPEECH)}`,
        "-H 'Content-Type: application/json'",
        ...(hasKey ? ['-H "Authorization: Bearer $OPENAI_API_KEY"'] : []),
        `-d ${shell(json(fields))}`,
        "-o speech.mp3",
      ].join(" \\\n  "),
  ],
  python: [
    "Python",
    "pip install openai",
    ({base, key, fields: {model, voice, input, ...more}}) => `from openai import OpenAI

client = OpenAI(base_url=${json(base)}, api_key=${key})
with client.audio.speech.with_streaming_response.create(
    model=${json(model)}, voice=${json(voice)}, input=${json(input)},${extraBody(more)}
) as response:
    response.stream_to_file("speech.mp3")`,
  ],
  javascript: [
    "JavaScript",
    "npm install openai",
    ({base, key, fields}) => `import OpenAI from "openai";
import { writeFile } from "node:fs/promises";

const client = new OpenAI({ baseURL: ${json(base)}, apiKey: ${key} });
const response = await client.audio.speech.create(${JSON.stringify(fields, null, 2)});
await writeFile("speech.mp3", Buffer.from(await response.arrayBuffer()));`,
  ],
  "open-webui": [
    "Open WebUI",
    "Environment of its container, or Admin Panel → Settings → Audio. There, this machine is host.docker.internal.",
    ({base, plainKey, voice}) => `AUDIO_TTS_ENGINE=openai
AUDIO_TTS_OPENAI_API_BASE_URL=${base}
AUDIO_TTS_OPENAI_API_KEY=${plainKey}
AUDIO_TTS_MODEL=kokoro
AUDIO_TTS_VOICE=${voice}`,
  ],
  sillytavern: [
    "SillyTavern",
    "Extensions → TTS, provider “OpenAI Compatible”.",
    ({voice, plainKey}) => `Provider Endpoint: ${addressOf(SPEECH)}
Model: kokoro
Available Voices: ${[...new Set([voice, "af_heart", "bf_emma", "am_michael"])].join(",")}
API Key: ${plainKey === "none" ? "(empty)" : plainKey}`,
  ],
  "home-assistant": [
    "Home Assistant",
    "Integration “OpenAI TTS” (HACS), preset “Custom”. It lists the voices itself.",
    ({plainKey}) => `Endpoint: ${addressOf(SPEECH)}
API key: ${plainKey}
Model: tts-1`,
  ],
  livekit: [
    "LiveKit",
    "pip install livekit-plugins-openai. Use pcm or wav there.",
    ({base, key, voice}) => `from livekit.plugins import openai

tts = openai.TTS(
    base_url=${json(base)}, api_key=${key}, model="kokoro", voice=${json(voice)}, response_format="pcm"
)`,
  ],
};

const extraBody = (more) => {
  const written = json(more).replaceAll(":true", ": True").replaceAll(":false", ": False");
  return written === "{}"
    ? ""
    : `
    extra_body=${written},`;
};

export function startApps() {
  find("program").append(...Object.entries(PROGRAMS).map(([id, [name]]) => new Option(name, id)));
  bind(find("program"), "program");
  settings.on(["program", "text", "voice", "language", "model", "speed", "normalize", "words", "key"], showApps);
  find("copy-snippet").addEventListener("click", () => copy(find("snippet").textContent, find("snippet")));
  showApps();
}

/* Never shows the key itself: what is copied may be pasted anywhere. */
function showApps() {
  const hasKey = settings.key.trim() !== "";
  const base = addressOf("v1");
  const [, note, write] = PROGRAMS[settings.get("program")] || PROGRAMS.curl;
  const plainKey = hasKey ? "YOUR_KEY" : "none";
  find("base").textContent = base;
  find("snippet-note").textContent = note;
  find("snippet").textContent = write({
    base,
    fields: fieldsOf(settings.get("text")),
    hasKey,
    key: json(plainKey),
    plainKey,
    voice: settings.get("voice"),
  });
}
