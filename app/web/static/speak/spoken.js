/* One text that is spoken: its request, its sound, its words, and the files that it is saved as. */

import {saveFile} from "../basics/dom.js";
import {Mp3Frames} from "../sound/mp3_frames.js";
import {player} from "../sound/player.js";
import {canStreamMp3, openStream} from "../sound/sounds.js";
import {readFile, stream} from "../sound/speech.js";
import {samplesOf} from "../sound/wav.js";
import {writeSrt, writeVtt} from "./captions.js";
import {fieldsOf} from "./requests.js";

const PEAKS_BYTES = 4000;
const TITLE_CHARS = 60;
const NAME_CHARS = 40;
const FORMATS = ["mp3", "opus", "aac", "flac", "wav", "pcm"];
const CAPTIONS = {srt: [writeSrt, "application/x-subrip"], vtt: [writeVtt, "text/vtt"]};

const ENDINGS = [...FORMATS, ...Object.keys(CAPTIONS)];

export class Spoken {
  hasBegun = false;
  words = [];
  #leave = new AbortController();
  #frames = new Mp3Frames();

  constructor(text) {
    this.text = text;
    this.fields = fieldsOf(text);
  }

  /* The first line, without the tags of voices. */
  get title() {
    const said = this.text.replaceAll(/\[[^[\]\n]*\]\s*/g, "").trim();
    return said.split("\n")[0].slice(0, TITLE_CHARS);
  }

  /* Loads the player with what will come. */
  load(about) {
    this.sound = player.load(openStream, {title: this.title, endings: ENDINGS, onStop: () => this.leave(), ...about});
    this.sound.play();
  }

  /* Streams the speech. `onBegin` is called with the first audio, `onWords` with words. Raises what `stream` raises. */
  async stream({onBegin, onWords}) {
    await stream(this.fields, {
      signal: this.#leave.signal,
      onStart: (headers) => {
        this.engine = headers.get("x-koe-engine");
        this.cache = headers.get("x-koe-cache");
      },
      onWords: (words) => {
        this.words.push(...words);
        onWords(words);
      },
      onAudio: (bytes) => {
        if (!this.hasBegun) onBegin();
        this.hasBegun = true;
        this.sound.append(bytes);
        this.#addPeaks(bytes, PEAKS_BYTES);
      },
    });
    this.sound.finish();
    this.#addPeaks(new Uint8Array(0), 1);
  }

  /* Ends the request. What has come stays. */
  leave() {
    this.#leave.abort();
  }

  /* Saves the speech as a file with this ending. */
  async save(ending) {
    const name = this.title.replace(/[^\p{Letter}\p{Number}]+/gu, "-").slice(0, NAME_CHARS);
    saveFile(await this.#file(ending), `${name || "speech"}.${ending}`);
  }

  async #file(ending) {
    if (ending in CAPTIONS) {
      const [write, type] = CAPTIONS[ending];
      return new Blob([write(this.words, this.text)], {type});
    }
    const isHere = ending === "mp3" && canStreamMp3 && this.sound.isWhole && !this.#leave.signal.aborted;
    return isHere ? this.sound.file : readFile(this.fields, ending);
  }

  #addPeaks(bytes, least) {
    if (player.sound !== this.sound) return;
    if (!canStreamMp3) return player.waveform.addSamples(samplesOf(bytes));
    const whole = this.#frames.add(bytes, least);
    if (whole) player.waveform.addEncoded(whole);
  }
}
