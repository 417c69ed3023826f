// One end of a call for the bench of video: an RTCPeerConnection that shows a clip, and notes each picture that it sees.
// Pictures have their numbers in them: 32 blocks along the upper edge, white for 1 and black for 0.

const working = `
const pictures = [], sent = [], seen = [];
let running = false;
const now = () => (performance.timeOrigin + performance.now()) / 1000;

function stamp(data, width, height, number) {
  const rows = Math.min(height, Math.ceil(width / 32 / 2) * 2);
  for (let x = 0; x < width; x++) {
    const value = number >>> 31 - Math.floor(x * 32 / width) & 1 ? 235 : 16;
    for (let y = 0; y < rows; y++) data[y * width + x] = value;
  }
  const whole = width * height, colourless = rows / 2 * (width / 2);
  data.fill(128, whole, whole + colourless);
  data.fill(128, whole * 5 / 4, whole * 5 / 4 + colourless);
}

async function show({ writable, width, height, rate }) {
  const writer = writable.getWriter(), count = pictures.length, begin = performance.now();
  running = true;
  for (let number = 0; running; number++) {
    const wait = begin + number * 1000 / rate - performance.now();
    if (wait > 0) await new Promise(done => setTimeout(done, wait));
    else number += Math.floor(-wait * rate / 1000);
    const step = number % (2 * count - 2), data = pictures[step < count ? step : 2 * count - 2 - step].slice();
    stamp(data, width, height, number);
    sent.push([number, now()]);
    const timestamp = Math.round(performance.now() * 1000);
    await writer.write(new VideoFrame(data, { format: "I420", codedWidth: width, codedHeight: height, timestamp }));
  }
}

async function watch({ readable }) {
  const reader = readable.getReader();
  let buffer = new Uint8Array(0), last = -1;
  for (;;) {
    const { value: frame, done } = await reader.read();
    if (done) break;
    const time = now(), { width, height } = frame.visibleRect;
    if (buffer.length < frame.allocationSize()) buffer = new Uint8Array(frame.allocationSize());
    const [{ offset, stride }] = await frame.copyTo(buffer);
    frame.close();
    if (width < 128) continue;
    let number = 0;
    const row = offset + Math.floor(width / 32 / 2) * stride;
    for (let bit = 0; bit < 32; bit++)
      number = number * 2 + (buffer[row + Math.floor((bit + 0.5) * width / 32)] > 126 ? 1 : 0);
    if (number === last) continue;
    last = number;
    let kept = null;
    if (number % 15 === 7) {
      kept = new Uint8Array(width * height);
      for (let y = 0; y < height; y++)
        kept.set(buffer.subarray(offset + y * stride, offset + y * stride + width), y * width);
    }
    seen.push({ number, time, width, height, kept });
  }
}

onmessage = async ({ data }) => {
  if (data.what === "picture") pictures.push(data.picture);
  if (data.what === "show") await show(data);
  if (data.what === "watch") await watch(data);
  if (data.what === "stop") { running = false; postMessage({ sent, seen }); }
};`;
const worker = new Worker(URL.createObjectURL(new Blob([working], { type: "text/javascript" })));
worker.onerror = event => console.error(event.message);

let connection, generator, context, orders, heard = { concealed: 0, total: 0 };

async function picture(base64) {
  const bytes = await (await fetch("data:application/octet-stream;base64," + base64)).arrayBuffer();
  worker.postMessage({ what: "picture", picture: new Uint8Array(bytes) }, [bytes]);
}

async function begin(wanted) {
  orders = wanted;
  connection = new RTCPeerConnection();
  connection.ontrack = ({ track }) => {
    if (track.kind === "video") {
      const readable = new MediaStreamTrackProcessor({ track, maxBufferSize: 30 }).readable;
      worker.postMessage({ what: "watch", readable }, [readable]);
      return;
    }
    const element = new Audio();
    element.srcObject = new MediaStream([track]);
    element.play();
    document.body.append(element);
  };
  context = new AudioContext({ sampleRate: 48000 });
  await context.resume();
  const mouth = new MediaStreamAudioDestinationNode(context, { channelCount: 1, channelCountMode: "explicit" });
  const tone = new OscillatorNode(context, { frequency: 300, type: "sawtooth" });
  const syllables = new GainNode(context, { gain: 0.1 }), rhythm = new OscillatorNode(context, { frequency: 4 });
  rhythm.connect(new GainNode(context, { gain: 0.1 })).connect(syllables.gain);
  tone.connect(syllables).connect(mouth);
  tone.start();
  rhythm.start();
  connection.addTrack(mouth.stream.getAudioTracks()[0]);
  if (orders.shows) {
    generator = new MediaStreamTrackGenerator({ kind: "video" });
    generator.contentHint = "motion";
    connection.addTrack(generator);
  }
}

async function gathered() {
  while (connection.iceGatheringState !== "complete")
    await new Promise(done => connection.addEventListener("icegatheringstatechange", done, { once: true }));
  const { type, sdp } = connection.localDescription;
  return { type, sdp };
}

async function offer() {
  if (!orders.shows) connection.addTransceiver("video", { direction: "recvonly" });
  await connection.setLocalDescription(await connection.createOffer());
  return gathered();
}

async function answer(description) {
  await connection.setRemoteDescription(description);
  await connection.setLocalDescription(await connection.createAnswer());
  return gathered();
}

async function accept(description) {
  await connection.setRemoteDescription(description);
}

async function connected() {
  const late = setTimeout(() => console.error("no connection"), 15000);
  while (connection.connectionState !== "connected")
    await new Promise(done => connection.addEventListener("connectionstatechange", done, { once: true }));
  clearTimeout(late);
}

async function counters() {
  const found = { concealed: 0, total: 0 };
  (await connection.getStats()).forEach(entry => {
    if (entry.type === "inbound-rtp" && entry.kind === "audio")
      Object.assign(found, { concealed: entry.concealedSamples, total: entry.totalSamplesReceived });
  });
  return found;
}

async function start() {
  heard = await counters();
  if (!orders.shows) return;
  const { writable } = generator;
  worker.postMessage({ what: "show", writable, ...orders }, [writable]);
}

function text(bytes) {
  return new Promise(done => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result.split(",")[1] ?? "");
    reader.readAsDataURL(new Blob([bytes]));
  });
}

async function stop() {
  const taken = new Promise(done => { worker.onmessage = ({ data }) => done(data); });
  worker.postMessage({ what: "stop" });
  const { sent, seen } = await taken, now = await counters();
  for (const one of seen) one.kept = one.kept && await text(one.kept);
  const concealed = (now.concealed - heard.concealed) / Math.max(1, now.total - heard.total);
  return { sent, seen, concealed };
}
