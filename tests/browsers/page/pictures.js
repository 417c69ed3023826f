// A drawn camera, and what is seen of the peer's: four quarters, each of a colour of its own, under a row of black and
// white blocks that spell the number of the picture (most significant first).

export const BLOCKS = 16;
const QUARTERS = ["#c02020", "#20a020", "#2020c0", "#c0c020"];

export class Camera {
  constructor({ width = 320, height = 240, rate = 15 }) {
    this.canvas = document.createElement("canvas");
    this.canvas.width = width;
    this.canvas.height = height;
    this.number = 0;
    this.draw();
    this.timer = setInterval(() => this.draw(), 1000 / rate);
    this.track = this.canvas.captureStream(rate).getVideoTracks()[0];
  }

  draw() {
    const { width, height } = this.canvas, pen = this.canvas.getContext("2d");
    const number = this.number++;
    QUARTERS.forEach((colour, n) => {
      pen.fillStyle = colour;
      pen.fillRect((n % 2) * width / 2, Math.floor(n / 2) * height / 2, width / 2, height / 2);
    });
    for (let n = 0; n < BLOCKS; n++) {
      pen.fillStyle = (number >> (BLOCKS - 1 - n)) & 1 ? "#fff" : "#000";
      pen.fillRect(n * width / BLOCKS, 0, width / BLOCKS + 1, width / BLOCKS);
    }
  }

  close() {
    clearInterval(this.timer);
    this.track.stop();
  }
}

export class Eye {
  constructor() {
    this.canvas = document.createElement("canvas");
    this.element = document.createElement("video");
  }

  look(track) {
    Object.assign(this.element, { srcObject: new MediaStream([track]), muted: true, autoplay: true, playsInline: true });
    document.body.append(this.element);
    this.element.play().catch(() => {});
  }

  // The picture that is shown now: its size, its number, and the mean colour of each quarter; nothing before the first.
  seen() {
    const { videoWidth: width, videoHeight: height } = this.element;
    if (!width) return null;
    Object.assign(this.canvas, { width, height });
    const pen = this.canvas.getContext("2d", { willReadFrequently: true });
    pen.drawImage(this.element, 0, 0);
    const colour = (left, top, wide, high) => {
      const { data } = pen.getImageData(left, top, wide, high), sum = [0, 0, 0];
      for (let n = 0; n < data.length; n++) if (n % 4 < 3) sum[n % 4] += data[n];
      return sum.map(value => Math.round(value / (data.length / 4)));
    };
    const size = width / BLOCKS, wide = Math.floor(width / 4), high = Math.floor(height / 8);
    let number = 0;
    for (let n = 0; n < BLOCKS; n++)
      number = number * 2 + (colour(n * size + size / 4, size / 4, size / 2, size / 2)[1] > 127 ? 1 : 0);
    const quarters = [0, 1, 2, 3].map(n =>
      colour((n % 2) * width / 2 + width / 8, Math.floor(n / 2) * height / 2 + height / 4, wide, high));
    return { width, height, number, quarters };
  }
}
