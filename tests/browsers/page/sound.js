// A microphone that says a sentence over and over, and an ear that keeps what the peer says as it is heard here: 48 kHz,
// one channel, 16 bits.

const RATE = 48000;
const KEPT_SECONDS = 60;

const taking = `registerProcessor("taking", class extends AudioWorkletProcessor {
  process([[channel]]) {
    if (channel) this.port.postMessage(channel.slice());
    return true;
  }
});`;

export class Mouth {
  // sentence: a sound file, base64
  async open(sentence) {
    this.context = new AudioContext({ sampleRate: RATE });
    const octets = Uint8Array.from(atob(sentence), character => character.charCodeAt(0));
    const buffer = await this.context.decodeAudioData(octets.buffer);
    const source = new AudioBufferSourceNode(this.context, { buffer, loop: true });
    const microphone = new MediaStreamAudioDestinationNode(this.context, { channelCount: 1, channelCountMode: "explicit" });
    source.connect(microphone);
    source.start();
    await this.context.resume();
    return microphone.stream.getAudioTracks()[0];
  }

  close() {
    this.context.close();
  }
}

export class Ear {
  constructor() {
    this.samples = new Int16Array(RATE * KEPT_SECONDS);
    this.count = 0;
  }

  // A browser decodes only what an element plays.
  async listen(track) {
    const stream = new MediaStream([track]);
    this.element = new Audio();
    this.element.srcObject = stream;
    this.element.play().catch(() => {});
    this.context = new AudioContext({ sampleRate: RATE });
    await this.context.audioWorklet.addModule(URL.createObjectURL(new Blob([taking], { type: "text/javascript" })));
    const node = new AudioWorkletNode(this.context, "taking", { channelCount: 1, channelCountMode: "explicit" });
    node.port.onmessage = ({ data }) => this.take(data);
    this.context.createMediaStreamSource(stream).connect(node);
    node.connect(this.context.destination);
    await this.context.resume();
  }

  take(block) {
    if (this.count + block.length > this.samples.length) return;
    for (const value of block)
      this.samples[this.count++] = Math.max(-32768, Math.min(32767, Math.round(value * 32768)));
  }

  // Base64 of all that was heard, little-endian.
  heard() {
    const octets = new Uint8Array(this.samples.buffer, 0, 2 * this.count);
    let text = "";
    for (let n = 0; n < octets.length; n += 8192) text += String.fromCharCode(...octets.subarray(n, n + 8192));
    return btoa(text);
  }

  close() {
    this.element?.pause();
    this.context?.close();
  }
}
