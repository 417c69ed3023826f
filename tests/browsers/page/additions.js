// A session whose contents come, change and go (XEP-0166, 7.2.1 to 7.2.5). stanza refuses all of that.

import { Constants, Jingle } from "stanza";
import { convertContentToIntermediate, convertIntermediateToRequest } from "stanza/jingle/sdp/Protocol";

const { importFromSDP, exportToSDP } = Jingle;

export class AddingSession extends Jingle.MediaSession {
  // --- what the peer begins ---

  async onContentAdd({ contents, groups = [] }, done) {
    done();
    const names = contents.map(({ name }) => name);
    await this.hear("offer", remote => {
      remote.media.push(...contents.map(content => convertContentToIntermediate(content, this.peerRole)));
      if (groups.length) remote.groups = groups.map(({ semantics, contents: mids }) => ({ semantics, mids }));
    });
    this.parent.emit("contentsAdded", this, names);
    await this.pc.setLocalDescription(await this.pc.createAnswer());
    const answer = this.spoken();
    const accepted = answer.contents.filter(({ name }) => names.includes(name));
    accepted.forEach(content => Object.assign(content, { creator: contents[0].creator }));
    this.send("content-accept", { contents: accepted, groups: answer.groups });
  }

  async onContentModify({ contents }, done) {
    done();
    await this.hear("offer", remote => {
      for (const { name, senders } of contents)
        remote.media.find(({ mid }) => mid === name).direction = Constants.sendersToDirection(this.peerRole, senders);
    });
    await this.pc.setLocalDescription(await this.pc.createAnswer());
    this.parent.emit("contentsModified", this, contents.map(({ name, senders }) => [name, senders]));
  }

  async onContentRemove({ contents }, done) {
    done();
    const names = contents.map(({ name }) => name);
    await this.hear("offer", remote => {
      for (const media of remote.media.filter(({ mid }) => names.includes(mid)))
        Object.assign(media, { iceParameters: undefined, dtlsParameters: undefined, direction: "inactive" });
      for (const group of remote.groups) group.mids = group.mids.filter(mid => !names.includes(mid));
    });
    await this.pc.setLocalDescription(await this.pc.createAnswer());
  }

  // --- what this side begins ---

  async add(track, stream) {
    const known = this.spoken().contents.map(({ name }) => name);
    this.pc.addTrack(track, stream);
    await this.pc.setLocalDescription(await this.pc.createOffer());
    const offer = this.spoken();
    const contents = offer.contents.filter(({ name }) => !known.includes(name));
    contents.forEach(content => Object.assign(content, { creator: this.role }));
    this.send("content-add", { contents, groups: offer.groups });
  }

  async onContentAccept({ contents, groups = [] }, done) {
    done();
    await this.hear("answer", remote => {
      remote.media.push(...contents.map(content => convertContentToIntermediate(content, this.peerRole)));
      if (groups.length) remote.groups = groups.map(({ semantics, contents: mids }) => ({ semantics, mids }));
    });
    this.parent.emit("contentsAccepted", this, contents.map(({ name }) => name));
  }

  async onContentReject(_, done) {
    done();
    await this.pc.setLocalDescription({ type: "rollback" });
  }

  // The own description, as Jingle says it.
  spoken() {
    return convertIntermediateToRequest(importFromSDP(this.pc.localDescription.sdp), this.role, this.transportType);
  }

  // What the peer described before, changed. An offer leaves open who begins the handshake, an answer does not (RFC 8842,
  // 5.3), and there is one for all that share a way.
  async hear(type, change) {
    const remote = importFromSDP(this.pc.remoteDescription.sdp);
    change(remote);
    const { setup } = remote.media.at(-1);
    for (const media of remote.media) if (media.dtlsParameters) media.setup = type === "offer" ? "actpass" : setup;
    await this.pc.setRemoteDescription({ type, sdp: exportToSDP(remote) });
  }
}
