// Jingle Message Initiation (XEP-0353), which stanza lacks.

import { JXT, Namespaces } from "stanza";

export const INVITATION = "urn:xmpp:jingle-message:0";
const ACTIONS = ["propose", "ringing", "proceed", "accept", "reject", "retract", "finish"];

// message.propose = { id, media: ["audio", "video"] }, message.proceed = { id } and so on.
export const definitions = ACTIONS.map(element => ({
  element,
  namespace: INVITATION,
  path: `message.${element}`,
  fields: { id: JXT.attribute("id"), media: { importer: readMedia, exporter: writeMedia } },
}));

// What a message invites to, as [action, content], or nothing.
export function invitationIn(message) {
  return ACTIONS.map(action => [action, message[action]]).find(([, content]) => content);
}

function readMedia(element) {
  const descriptions = element.children.filter(child => child.name?.split(":").pop() === "description");
  return descriptions.map(description => description.attributes.media);
}

function writeMedia(element, media) {
  for (const each of media)
    element.appendChild(new JXT.XMLElement("description", { xmlns: Namespaces.NS_JINGLE_RTP_1, media: each }));
}
