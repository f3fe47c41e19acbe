/* Divides a stream of mp3 at its frames, so that a piece of it can be decoded alone. MPEG-2 layer III, as Koe sends it. */

const BITRATES_KBPS = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
const RATES_HZ = [22050, 24000, 16000];

export class Mp3Frames {
  #rest = new Uint8Array(0);

  /* The whole frames in what has come, once they are at least `least` bytes; else null. */
  add(bytes, least) {
    const all = new Uint8Array(this.#rest.length + bytes.length);
    all.set(this.#rest);
    all.set(bytes, this.#rest.length);
    let end = 0;
    for (let size; (size = frameBytes(all, end)) && end + size <= all.length;) end += size;
    if (end < least) {
      this.#rest = all;
      return null;
    }
    this.#rest = all.slice(end);
    return all.slice(0, end);
  }
}

function frameBytes(bytes, at) {
  if (at + 4 > bytes.length || bytes[at] !== 0xff || (bytes[at + 1] & 0xe0) !== 0xe0) return 0;
  const kbps = BITRATES_KBPS[bytes[at + 2] >> 4];
  const rateHz = RATES_HZ[(bytes[at + 2] >> 2) & 3];
  return kbps && rateHz ? Math.floor((72000 * kbps) / rateHz) + ((bytes[at + 2] >> 1) & 1) : 0;
}
