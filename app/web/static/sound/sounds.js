/* Which kind of sound plays a stream in this browser.

Why two kinds: MediaSource plays mp3 from its first bytes, with seeks and speed at the same pitch, but Firefox has it for no
format that Koe streams. There Web Audio plays the samples. Both kinds, and FileSound, have the same methods. */

import {MP3, Mp3Sound} from "./element_sounds.js";
import {PcmSound, unlockContext} from "./pcm_sound.js";

export const canStreamMp3 = "MediaSource" in globalThis && MediaSource.isTypeSupported(MP3);

/* The format in which the page asks for a stream. */
export const STREAM_FORMAT = canStreamMp3 ? "mp3" : "pcm";

/* The sound that plays it in this element. */
export const openStream = (audio) => (canStreamMp3 ? new Mp3Sound(audio) : new PcmSound(audio));

/* To be called when a button is pressed, before anything that waits. */
export function unlockAudio() {
  if (!canStreamMp3) unlockContext();
}
