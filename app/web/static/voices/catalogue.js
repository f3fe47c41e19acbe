/* The voices of this server, the best first. */

import {readJson, VOICES} from "../basics/api.js";

const GRADES = "ABCDEF";
const BEST = "af_heart";
const OF_A_USER = /^voice_[0-9a-f]{24}$/;

export const catalogue = {voices: [], aliases: {}};

/* A name of OpenAI is a tag on the voice that it means; where it means a blend, it is a voice of its own. */
export async function loadVoices() {
  const {voices} = await readJson(VOICES);
  const named = voices.map((voice) => ({
    ...voice,
    shortName: OF_A_USER.test(voice.id) ? voice.name : voice.name.replace(/ \(.+\)$/, ""),
    isAlias: !OF_A_USER.test(voice.id) && !/\(.+\)$/.test(voice.name),
  }));
  const own = new Set(named.filter((voice) => !voice.isAlias).map((voice) => voice.id));
  catalogue.aliases = Object.fromEntries(named.filter((voice) => voice.isAlias).map((voice) => [voice.id, voice.aliases[0]]));
  catalogue.voices = named
    .filter((voice) => !voice.isAlias || !own.has(voice.aliases[0]))
    .sort((a, b) => rank(a) - rank(b) || a.id.localeCompare(b.id));
}

function rank({id, grade}) {
  if (id === BEST) return -1;
  if (!grade) return 99;
  return GRADES.indexOf(grade[0]) + {"+": -0.3, "-": 0.3, "": 0}[grade.slice(1)];
}

export const findVoice = (id) => catalogue.voices.find((voice) => voice.id === (catalogue.aliases[id] || id));

/* What people see for a voice or a blend. */
export const showVoice = (id) => findVoice(id)?.shortName || id;

/* The language of a voice or of the first voice of a blend. */
export const languageOfVoice = (id) => findVoice(id.split(/[(+]/)[0])?.language || "en-US";
