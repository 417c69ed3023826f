// A caller in a browser: stanza speaks XMPP and Jingle, the browser itself does the media. Driven from outside by
// window.peer, one command at a time; what happens is in its diary.

import { createClient, Jingle, JID } from "stanza";
import { AddingSession } from "./additions.js";
import { INVITATION, definitions, invitationIn } from "./invitation.js";
import { Camera, Eye } from "./pictures.js";
import { Ear, Mouth } from "./sound.js";

class Peer {
  diary = [];

  // settings: address, password, server (a WebSocket); iceServers, iceTransportPolicy, bundlePolicy as WebRTC has them;
  // invited: whether calls begin with messages (XEP-0353) or with session-initiate; answer: "accept", "decline" or
  // "ignore"; sentence: a sound file in base64, for browsers whose microphone has none; pictures: whether a camera is
  // shown; codecs: of pictures, as WebRTC has them, the best first; additions: whether contents may be added;
  // asks: whether whole pictures can be asked for; raw: whether all stanzas stand in the diary.
  async begin(settings) {
    this.settings = { invited: true, answer: "accept", pictures: false, codecs: [], additions: false, asks: false, ...settings };
    const { address, password, server, iceServers = [], iceTransportPolicy, bundlePolicy } = this.settings;
    const client = (this.client = createClient({
      jid: address,
      password,
      transports: { websocket: server },
      useStreamManagement: false,
      jingle: {
        iceServers,
        iceTransportPolicy,
        bundlePolicy,
        prepareSession: options => new (this.kind())(options),
      },
    }));
    client.stanzas.define(definitions);
    if (this.settings.invited) client.disco.addFeature(INVITATION);
    if (this.settings.raw) client.on("raw:*", (way, text) => this.note(way, text));
    client.on("message", message => this.invited(message));
    client.on("jingle:incoming", session => this.offered(session));
    for (const [event, name] of Object.entries(NOTED)) client.on(event, (_, what) => this.note(name, what));
    // What crosses the end of a call is refused, and no fault.
    client.jingle.on("log:error", text => this.session?.state === "ended" || this.note("fault", text));
    client.jingle.on("contentsAdded", (_, names) => this.note("content-add", names));
    client.jingle.on("contentsModified", (_, contents) => this.note("content-modify", contents));
    client.jingle.on("contentsAccepted", (_, names) => this.note("content-accept", names));
    client.jingle.on("peerTrackAdded", (session, track) => this.perceive(session, track));
    await new Promise((done, failed) => {
      client.once("session:started", done);
      for (const event of ["auth:failed", "disconnected"]) client.once(event, () => failed(new Error(event)));
      client.connect();
    });
    await client.getRoster();
    await client.discoverICEServers();
    // stanza writes stun:...?transport=udp, which browsers refuse (RFC 7064).
    for (const each of client.jingle.iceServers)
      if (each.urls[0].startsWith("stun:")) each.urls = [each.urls[0].split("?")[0]];
    // Known by its caps (XEP-0115) as what it is, unless it can do more than stanza.
    if (!this.settings.additions) client.updateCaps();
    client.sendPresence({ legacyCapabilities: client.disco.getCaps() });
    return client.jid;
  }

  kind() {
    return this.settings.additions ? AddingSession : Jingle.MediaSession;
  }

  note(name, what = null) {
    this.diary.push({ name, what });
  }

  entries() {
    return this.diary;
  }

  // The first entry of that name from that place of the diary on, when there is one.
  async until(name, seconds, since = 0) {
    for (const end = Date.now() + 1000 * seconds; ; await new Promise(done => setTimeout(done, 20))) {
      const found = this.diary.slice(since).find(entry => entry.name === name);
      if (found) return found.what;
      if (Date.now() > end) throw new Error(`no ${name}, but ${JSON.stringify(this.diary)}`);
    }
  }

  // --- beginning ---

  // device: a full address
  async call(device) {
    this.id = crypto.randomUUID();
    if (this.settings.invited) {
      const address = (this.callee = JID.toBare(device));
      const media = this.settings.pictures ? ["audio", "video"] : ["audio"];
      this.client.sendMessage({ to: address, type: "chat", propose: { id: this.id, media }, processingHints: { store: true } });
    } else await this.initiate(device);
  }

  invited(message) {
    const [action, content] = invitationIn(message) ?? [];
    const own = JID.toBare(message.from) === JID.toBare(this.client.jid);
    if (!action || own) return;
    this.note(action, content);
    if (action === "propose") {
      const answers = { accept: ["ringing", "proceed"], decline: ["reject"], ignore: ["ringing"] };
      for (const answer of answers[this.settings.answer])
        this.client.sendMessage({ to: message.from, type: "chat", [answer]: { id: content.id } });
    }
    if (action === "proceed" && content.id === this.id && JID.toBare(message.from) === this.callee)
      this.initiate(message.from);
  }

  async initiate(device) {
    const { jingle } = this.client, { iceServers, config: { peerConnectionConfig: config } } = jingle;
    const session = new (this.kind())({ config, iceServers, initiator: true, parent: jingle, peerID: device, sid: this.id });
    jingle.addSession(session);
    await this.take(session);
    await session.start();
  }

  async offered(session) {
    this.session = session;
    this.note("offered", { audio: session.includesAudio, video: session.includesVideo });
    if (this.settings.answer === "decline") return session.decline();
    if (this.settings.answer === "ignore") return session.ring();
    await this.take(session, session.includesVideo);
    await session.accept();
  }

  async take(session, pictures = true) {
    this.session = session;
    const { pc } = session;
    pc.addEventListener("connectionstatechange", () => this.note(pc.connectionState));
    // Also where another sound is sent: browsers tell all their addresses only to pages that may listen.
    const audio = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    this.stream = await navigator.mediaDevices.getUserMedia({ audio });
    if (this.settings.sentence) {
      this.mouth = new Mouth();
      this.stream = new MediaStream([await this.mouth.open(this.settings.sentence)]);
    }
    if (pictures && this.settings.pictures) {
      this.camera = new Camera(this.settings.pictures);
      this.stream.addTrack(this.camera.track);
    }
    for (const track of this.stream.getTracks()) await session.addTrack(track, this.stream);
    for (const each of pc.getTransceivers()) this.prefer(each);
  }

  // What is named comes first, then what repeats it, and nothing else.
  prefer(transceiver) {
    const { codecs } = this.settings;
    if (!codecs.length || transceiver.receiver.track.kind !== "video") return;
    const able = RTCRtpReceiver.getCapabilities("video").codecs;
    const named = codecs.flatMap(({ mimeType, fmtp = "" }) =>
      able.filter(codec => codec.mimeType === mimeType && (codec.sdpFmtpLine ?? "").includes(fmtp)));
    transceiver.setCodecPreferences([...named, ...able.filter(codec => codec.mimeType === "video/rtx")]);
  }

  // --- the call ---

  perceive({ pc }, track) {
    this.note(`hears or sees ${track.kind}`);
    track.addEventListener("mute", () => this.note(`${track.kind} stopped`));
    track.addEventListener("unmute", () => this.note(`${track.kind} came`));
    if (track.kind === "audio") (this.ear = new Ear()).listen(track);
    else (this.eye = new Eye()).look(track, this.settings.asks && pc.getReceivers().find(each => each.track === track));
  }

  heard() {
    return this.ear?.heard() ?? "";
  }

  see(places) {
    return this.eye?.see(places) ?? null;
  }

  askForWhole() {
    this.eye.askForWhole();
  }

  async statistics() {
    return [...(await this.session.pc.getStats()).values()];
  }

  descriptions() {
    const { localDescription, remoteDescription } = this.session.pc;
    return { local: localDescription?.sdp, remote: remoteDescription?.sdp };
  }

  async hangUp() {
    this.session.end();
  }

  // digits: keys of a telephone (RFC 4733)
  press(digits) {
    const sender = this.session.pc.getSenders().find(({ track }) => track?.kind === "audio");
    sender.dtmf.insertDTMF(digits, 100, 50);
  }

  async restart() {
    await this.session.restartIce();
  }

  // Show the camera, or leave off; told to the peer as stanza does (XEP-0167, 7).
  async show(shown) {
    this.camera.track.enabled = shown;
    const { mid } = this.session.pc.getTransceivers().find(each => each.receiver.track.kind === "video");
    await (shown ? this.session.unmute("initiator", mid) : this.session.mute("initiator", mid));
  }

  // In a session that may be added to.
  async addCamera(format = {}) {
    this.camera = new Camera(format);
    await this.session.add(this.camera.track, this.stream);
  }

  endCamera() {
    this.camera.close();
  }

  async leave() {
    if (this.session && this.session.state !== "ended") this.session.end();
    this.mouth?.close();
    this.ear?.close();
    this.camera?.close();
    this.stream?.getTracks().forEach(track => track.stop());
    await this.client?.disconnect();
  }
}

// What stanza tells of a session, and how the diary calls it.
const NOTED = {
  "jingle:ringing": "rings",
  "jingle:accepted": "accepted",
  "jingle:terminated": "terminated",
  "jingle:mute": "muted",
  "jingle:unmute": "unmuted",
  "jingle:hold": "held",
  "jingle:resumed": "resumed",
};

window.peer = new Peer();
window.addEventListener("error", ({ message }) => peer.note("fault", message));
window.addEventListener("unhandledrejection", ({ reason }) => peer.note("fault", String(reason)));
