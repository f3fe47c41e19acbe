/* The languages of the voices: their names, a sentence in each, which of them a text is in, and how long it is. */

const SAMPLES = {
  en: "Hello, I am NAME. This is how I sound.",
  es: "Hola, soy NAME. Así suena mi voz.",
  fr: "Bonjour, je suis NAME. Voici ma voix.",
  it: "Ciao, sono NAME. Questa è la mia voce.",
  pt: "Olá, eu sou NAME. Esta é a minha voz.",
  hi: "नमस्ते, मेरी आवाज़ ऐसी सुनाई देती है।",
  ja: "こんにちは。これが私の声です。",
  zh: "你好，这就是我的声音。",
};

export const primary = (tag) => tag.split("-")[0].toLowerCase();

export const sampleOf = (voice) => (SAMPLES[primary(voice.language)] || SAMPLES.en).replace("NAME", voice.shortName);

const names = new Intl.DisplayNames(["en"], {type: "language"});

export function languageName(tag) {
  try {
    return names.of(tag);
  } catch {
    return tag;
  }
}

/* Words that are frequent in one language and rare in the others. */
const FREQUENT = {
  en: "the and of to is that it with for was this you are have not be on as at by",
  es: "el los las que una por con para como pero más está muy también es y en del su yo",
  fr: "le les des une est que pour dans pas vous avec sur ce il elle nous et du au qui",
  it: "il che di per una non sono con gli della è anche più come questo ma nel le si ho",
  pt: "não uma que os para com você mas ele isso está são é do da em um mais foi muito",
};
/* What shows a language, and all its letters. Kana show Japanese, also among many Han signs. */
const HAN = /\p{Script=Han}/gu;
const HAN_AND_KANA = /[\p{Script=Han}\u3040-\u30ff]/gu;
const DEVANAGARI = /\p{Script=Devanagari}/gu;
const SCRIPTS = [
  ["ja", /[\u3040-\u30ff]/gu, HAN_AND_KANA],
  ["zh", HAN, HAN],
  ["hi", DEVANAGARI, DEVANAGARI],
];
const ENOUGH_CHARS = 2;
const ENOUGH_WORDS = 2;
const READ_CHARS = 4000;

/* The language of a text, as a tag without a region; "" where it cannot be told. */
export function languageOf(text) {
  const read = text.slice(0, READ_CHARS);
  const count = (pattern) => read.match(pattern)?.length || 0;
  const nLetters = count(/\p{Letter}/gu);
  for (const [tag, sign, letters] of SCRIPTS) {
    if (count(sign) >= ENOUGH_CHARS && 3 * count(letters) > nLetters) return tag;
  }
  const words = read.toLowerCase().match(/[\p{Letter}']+/gu) || [];
  const counts = Object.entries(FREQUENT)
    .map(([tag, frequent]) => {
      const known = new Set(frequent.split(" "));
      return [words.filter((word) => known.has(word)).length, tag];
    })
    .sort((a, b) => b[0] - a[0]);
  return counts[0][0] >= ENOUGH_WORDS && counts[0][0] > counts[1][0] ? counts[0][1] : "";
}

const SECONDS_A_CHAR = 0.065;
const SECONDS_A_WIDE_CHAR = 0.195;

/* About how long a text is when it is spoken. A Han sign or a kana is about a syllable. */
export function secondsOf(text) {
  const nWide = text.match(HAN_AND_KANA)?.length || 0;
  return nWide * SECONDS_A_WIDE_CHAR + (text.length - nWide) * SECONDS_A_CHAR;
}
