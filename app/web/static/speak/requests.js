/* The fields of a request for speech, from the text and the choices of the user. */

import {languageOf, primary} from "../basics/languages.js";
import {languageOfVoice} from "../voices/catalogue.js";
import {settings} from "../basics/settings.js";
import {server} from "../basics/state.js";

const MODEL = "gpt-4o-mini-tts", MODEL_CHARS = 4096;

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

export function wordsFor(text) {
  const lower = text.toLowerCase();
  const entries = settings.get("words").filter(({word}) => lower.includes(word.toLowerCase()));
  return Object.fromEntries(entries.map(({word, phonemes}) => [word, phonemes]));
}

/* The fields that differ from their defaults, so that a shown request stays short. */
export function fieldsOf(text, {voice = settings.get("voice"), ...more} = {}) {
  const fields = {model: modelFor(text), voice, input: text, ...more};
  const language = languageFor(text, voice), words = wordsFor(text);
  if (settings.get("speed") !== 1) fields.speed = settings.get("speed");
  if (language) fields.language = language;
  if (!settings.get("normalize")) fields.normalize = false;
  if (Object.keys(words).length) fields.pronunciations = words;
  return fields;
}
