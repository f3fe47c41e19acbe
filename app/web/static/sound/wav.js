/* Files of samples, 16 bits, 24 kHz, mono. */

const HEADER_BYTES = 44;
const RATE_HZ = 24000;

/* A stream cannot know the sizes in the header of a wav, and some programs need them: the same file with its real sizes. */
export const withSizes = (blob) => new Blob([wavHeader(blob.size - HEADER_BYTES), blob.slice(HEADER_BYTES)], {type: blob.type});

/* A wav file of samples from -1 to 1. */
export function wavOf(samples) {
  const whole = Int16Array.from(samples, (sample) => Math.round(sample * 32768));
  return new Blob([wavHeader(whole.byteLength), whole], {type: "audio/wav"});
}

/* Samples from -1 to 1 of little-endian bytes. */
export function samplesOf(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float32Array.from({length: bytes.length >> 1}, (_, i) => view.getInt16(2 * i, true) / 32768);
}

function wavHeader(nBytes) {
  const view = new DataView(new ArrayBuffer(44));
  const put = (at, text) => [...text].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
  put(0, "RIFF");
  view.setUint32(4, nBytes + 36, true);
  put(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, RATE_HZ, true);
  view.setUint32(28, 2 * RATE_HZ, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  put(36, "data");
  view.setUint32(40, nBytes, true);
  return view;
}
