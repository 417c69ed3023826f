// A drawn camera, and what is seen of the peer's. The camera shows four quarters, each of a colour of its own, under a row
// of 32 white and black blocks: the time in milliseconds (modulo 2^32, the highest bit first), as openvoice writes it.

const BITS = 32;
const QUARTERS = ["#c02020", "#20a020", "#2020c0", "#c0c020"];

export class Camera {
  constructor({ width = 320, height = 240, rate = 15 }) {
    this.canvas = document.createElement("canvas");
    Object.assign(this.canvas, { width, height });
    this.draw();
    this.timer = setInterval(() => this.draw(), 1000 / rate);
    this.track = this.canvas.captureStream(rate).getVideoTracks()[0];
  }

  draw() {
    const { width, height } = this.canvas, pen = this.canvas.getContext("2d"), now = Date.now() >>> 0;
    QUARTERS.forEach((colour, n) => {
      pen.fillStyle = colour;
      pen.fillRect(((n % 2) * width) / 2, (Math.floor(n / 2) * height) / 2, width / 2, height / 2);
    });
    for (let n = 0; n < BITS; n++) {
      pen.fillStyle = (now >>> (BITS - 1 - n)) & 1 ? "#fff" : "#000";
      pen.fillRect((n * width) / BITS, 0, width / BITS, width / BITS);
    }
  }

  close() {
    clearInterval(this.timer);
    this.track.stop();
  }
}

const between = `onrtctransform = ({ transformer }) => {
  transformer.readable.pipeTo(transformer.writable);
  onmessage = () => transformer.sendKeyFrameRequest();
};`;

export class Eye {
  constructor() {
    this.canvas = document.createElement("canvas");
    this.element = document.createElement("video");
  }

  // receiver: of the track, to ask for whole pictures with; without one it is not touched.
  look(track, receiver = null) {
    if (receiver) {
      this.worker = new Worker(URL.createObjectURL(new Blob([between], { type: "text/javascript" })));
      receiver.transform = new RTCRtpScriptTransform(this.worker, {});
    }
    Object.assign(this.element, { srcObject: new MediaStream([track]), muted: true, playsInline: true });
    document.body.append(this.element);
    this.element.play().catch(() => {});
  }

  askForWhole() {
    this.worker.postMessage(null);
  }

  // The picture that is shown now: its size, its age in milliseconds by its stamp, and its colours at places between 0 and
  // 1; nothing before the first.
  see(places) {
    const { videoWidth: width, videoHeight: height } = this.element;
    if (!width) return null;
    Object.assign(this.canvas, { width, height });
    const pen = this.canvas.getContext("2d", { willReadFrequently: true });
    pen.drawImage(this.element, 0, 0);
    const colour = (x, y) => {
      const { data } = pen.getImageData(x - 2, y - 2, 4, 4), sum = [0, 0, 0];
      data.forEach((value, n) => n % 4 < 3 && (sum[n % 4] += value / 16));
      return sum.map(Math.round);
    };
    const side = width / BITS;
    let stamp = 0;
    for (let n = 0; n < BITS; n++) stamp = stamp * 2 + (colour((n + 0.5) * side, side / 2)[1] > 127 ? 1 : 0);
    const age = ((Date.now() >>> 0) - stamp) >>> 0;
    return { width, height, age, colours: places.map(([x, y]) => colour(x * width, y * height)) };
  }
}
