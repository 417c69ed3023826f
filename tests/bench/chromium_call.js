// Calls within one page: from a first to a second RTCPeerConnection, each through its own two ports of the relay.
// All first ends speak the same sound. What was spoken and what is heard is taken from tracks, with the time of each block.

const taking = `
const takes = {};
onmessage = async ({ data: { name, readable } }) => {
  if (!readable) {
    const { samples, count, times, numbers } = takes[name];
    postMessage({ name, samples: samples.slice(0, count).buffer, times, numbers });
    return;
  }
  const take = takes[name] = { samples: new Int16Array(48000 * 90), count: 0, times: [], numbers: [] };
  const reader = readable.getReader();
  let floats = new Float32Array(4800);
  for (;;) {
    const { value: block, done } = await reader.read();
    if (done) break;
    const now = (performance.timeOrigin + performance.now()) / 1000, length = block.numberOfFrames;
    if (block.sampleRate !== 48000) throw new Error("not 48 kHz: " + block.sampleRate);
    if (floats.length < length) floats = new Float32Array(length);
    block.copyTo(floats.subarray(0, length), { planeIndex: 0, format: "f32-planar" });
    block.close();
    if (take.count + length > take.samples.length) continue;
    for (let n = 0; n < length; n++)
      take.samples[take.count + n] = Math.max(-32768, Math.min(32767, Math.round(floats[n] * 32768)));
    // The end of what is spoken, the begin of what is heard, is now.
    take.numbers.push(name === "said" ? take.count + length : take.count);
    take.times.push(now);
    take.count += length;
  }
};`;
const worker = new Worker(URL.createObjectURL(new Blob([taking], { type: "text/javascript" })));
worker.onerror = event => console.error(event.message);
const calls = new Map();
let context, mouth, spoken;

function take(name, track) {
  const readable = new MediaStreamTrackProcessor({ track, maxBufferSize: 200 }).readable;
  worker.postMessage({ name, readable }, [readable]);
}

async function begin() {
  context = new AudioContext({ sampleRate: 48000 });
  await context.resume();
  mouth = new MediaStreamAudioDestinationNode(context, { channelCount: 1, channelCountMode: "explicit" });
  // Silence is sound, too: a track that nothing feeds sends nothing.
  const silence = new ConstantSourceNode(context, { offset: 0 });
  silence.connect(mouth);
  silence.start();
  spoken = mouth.stream.getAudioTracks()[0];
  take("said", spoken);
}

async function gathered(connection) {
  while (connection.iceGatheringState !== "complete")
    await new Promise(done => connection.addEventListener("icegatheringstatechange", done, { once: true }));
  return connection.localDescription.sdp;
}

// Leave one candidate, on the port where the relay takes its part.
function relayed(sdp, port) {
  let found = false;
  const lines = sdp.split("\r\n").flatMap(line => {
    if (!line.startsWith("a=candidate")) return [line];
    const words = line.split(" ");
    if (found || words[2].toLowerCase() !== "udp" || words[4].includes(":")) return [];
    found = true;
    words[5] = port;
    return [words.join(" ")];
  });
  if (!found) throw new Error("no candidate");
  return lines.join("\r\n");
}

// Let a lost packet be asked for again (RFC 4585, 6.2.1), which is done for pictures only by default.
function repeating(sdp) {
  return sdp.replace(/(a=rtpmap:111 [^\r]*\r\n)/, "$1a=rtcp-fb:111 nack\r\n");
}

async function connect({ name, ports, red, nack, bitrate }) {
  const first = new RTCPeerConnection(), second = new RTCPeerConnection();
  calls.set(name, { first, second });
  const connected = new Promise((done, failed) => {
    setTimeout(() => failed(new Error("no connection")), 10000);
    second.addEventListener("connectionstatechange", () => second.connectionState === "connected" && done());
  });
  second.ontrack = ({ track }) => {
    take(name, track);
    const element = new Audio();
    element.srcObject = new MediaStream([track]);
    element.play();
    document.body.append(element);
  };
  const sending = first.addTransceiver(spoken.clone(), { direction: "sendonly" });
  if (red) {
    const codecs = RTCRtpSender.getCapabilities("audio").codecs, isRed = codec => codec.mimeType === "audio/red";
    sending.setCodecPreferences([...codecs.filter(isRed), ...codecs.filter(codec => !isRed(codec))]);
  }
  await first.setLocalDescription(await first.createOffer());
  const offer = relayed(await gathered(first), ports[0]);
  await second.setRemoteDescription({ type: "offer", sdp: nack ? repeating(offer) : offer });
  await second.setLocalDescription(await second.createAnswer());
  let answer = relayed(await gathered(second), ports[1]);
  if (bitrate) answer = answer.replace(/(a=fmtp:111 [^\r]*)/, `$1;maxaveragebitrate=${bitrate}`);
  await first.setRemoteDescription({ type: "answer", sdp: nack ? repeating(answer) : answer });
  await connected;
}

async function speak(base64) {
  const bytes = await (await fetch("data:application/octet-stream;base64," + base64)).arrayBuffer();
  const samples = new Int16Array(bytes), buffer = context.createBuffer(1, samples.length, 48000);
  buffer.getChannelData(0).set(Float32Array.from(samples, value => value / 32768));
  const source = new AudioBufferSourceNode(context, { buffer });
  source.connect(mouth);
  source.start();
  await new Promise(done => { source.onended = done; });
}

async function counters(name) {
  const found = { concealed: 0, total: 0 };
  (await calls.get(name).second.getStats()).forEach(entry => {
    if (entry.type === "inbound-rtp")
      Object.assign(found, { concealed: entry.concealedSamples, total: entry.totalSamplesReceived });
  });
  return found;
}

async function taken(name) {
  const { samples, times, numbers } = await new Promise(done => {
    const listen = ({ data }) => {
      if (data.name !== name) return;
      worker.removeEventListener("message", listen);
      done(data);
    };
    worker.addEventListener("message", listen);
    worker.postMessage({ name });
  });
  const reader = new FileReader();
  await new Promise(done => { reader.onload = done; reader.readAsDataURL(new Blob([samples])); });
  return { samples: reader.result.split(",")[1] ?? "", times, numbers };
}
