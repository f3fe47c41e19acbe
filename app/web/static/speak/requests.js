/* The fields of a request for speech, from the text and the choices of the user. */

import {languageOf, primary} from "../basics/languages.js";
import {settings} from "../basics/settings.js";
import {server} from "../basics/state.js";
import {languageOfVoice} from "../voices/catalogue.js";

const MODEL = "gpt-4o-mini-tts";
const MODEL_CHARS = 4096;
const MAX_WORDS = 200;

/* OpenAI's models take 4,096 characters; the engine's own name takes more. */
export function modelFor(text) {
  return settings.get("model") || ([...text].length <= MODEL_CHARS || !server.engine ? MODEL : server.engine);
}

/* The language to send; null leaves it to the voice. */
export function languageFor(text, voice) {
  const chosen = settings.get("language");
  if (chosen === "voice") return null;
  if (chosen !== "text") return chosen;
  const found = languageOf(text);
  return found && found !== primary(languageOfVoice(voice)) ? found : null;
}

/* The words of this browser that a text may have; all of them for a text that is not known. */
function wordsFor(text) {
  const lower = text?.toLowerCase();
  const entries = settings.get("words").filter(({word}) => lower === undefined || lower.includes(word.toLowerCase()));
  return Object.fromEntries(entries.slice(0, MAX_WORDS).map(({word, phonemes}) => [word, phonemes]));
}

/* The fields of a request for this text, without those that have their defaults, so that a shown request stays short. */
export const fieldsOf = (text) => ({
  model: modelFor(text),
  voice: settings.get("voice"),
  input: text,
  ...moreOf(text, wordsFor(text)),
});

/* The fields of a job for a document, of which `beginnings` are known. */
export const choicesFor = (beginnings) => ({
  model: settings.get("model") || MODEL,
  voice: settings.get("voice"),
  ...moreOf(beginnings, wordsFor()),
});

function moreOf(text, words) {
  const fields = {};
  const language = languageFor(text, settings.get("voice"));
  if (settings.get("speed") !== 1) fields.speed = settings.get("speed");
  if (language) fields.language = language;
  if (!settings.get("normalize")) fields.normalize = false;
  if (Object.keys(words).length) fields.pronunciations = words;
  return fields;
}
