/* Asks for speech, and hands what comes to a sound, a waveform and the words. */

import {bytesOf, call, eventsOf, SPEECH} from "../basics/api.js";
import {STREAM_FORMAT} from "./sounds.js";
import {withSizes} from "./wav.js";

/* Streams the speech of these fields. `onStart` gets the headers, `onAudio` bytes, `onWords` words with their times. */
export async function stream(fields, {signal, onStart = () => {}, onAudio, onWords = () => {}}) {
  const body = {...fields, response_format: STREAM_FORMAT, stream_format: "sse", timestamps: ["word"]};
  const answer = await call(SPEECH, {method: "POST", body, signal});
  onStart(answer.headers);
  for await (const event of eventsOf(answer, ({type}) => type === "speech.audio.done")) {
    if (event.type === "speech.audio.words") onWords(event.words);
    else if (event.type === "speech.audio.delta") onAudio(bytesOf(event.audio));
  }
}

/* The whole file in a format. */
export async function readFile(fields, format, signal) {
  const answer = await call(SPEECH, {method: "POST", body: {...fields, response_format: format}, signal});
  const blob = await answer.blob();
  return format === "wav" ? withSizes(blob) : blob;
}
