/** Files that go along with a message: which can, and what they are in it. */

import { bytes } from './words.js';

/** Of a body that is sent, files are a third larger in base64; the rest is left for text. */
const SHARE = 0.7;
/** Pictures that every browser can read. */
const PICTURE = /^image\/(?:png|jpeg|gif|webp)$/;
const SENDABLE = /^(?:image|audio|text)\/|^application\/pdf$/;

/** A file as a part of a message that has `others`. What it raises says to the person why it cannot go along. */
export async function filePart(file, others, route) {
  const { name, size } = file;
  const taken = others.reduce((sum, other) => sum + sizeOf(other), 0);
  const room = Math.max(0, Math.floor(route.maxBody * SHARE) - taken);
  if (size > room) throw new Error(`${name} is too large: ${bytes(size)}, and there is room for ${bytes(room)}.`);
  const content = await file.arrayBuffer().catch(() => {
    throw new Error(`${name} cannot be read.`); // a folder, or gone meanwhile
  });
  if (!content.byteLength) throw new Error(`${name} is empty.`);
  const mediaType = mediaTypeOf(file, content);
  if (!mediaType) throw new Error(`${name} cannot be sent: images, audio, text and PDF can.`);
  const blob = new Blob([content], { type: mediaType });
  if (PICTURE.test(mediaType) && !(await isPicture(blob))) throw new Error(`${name} is no picture that can be read.`);
  return { type: 'file', mediaType, url: await dataUrl(blob), filename: name };
}

/** Bytes of a part's file. */
export function sizeOf({ url }) {
  const data = url.slice(url.indexOf(',') + 1);
  return (data.length * 3) / 4 - (data.length - data.replace(/=+$/, '').length);
}

/** Browsers name few kinds of text, and those not all alike: whatever reads as text is. */
function mediaTypeOf({ type }, content) {
  if (SENDABLE.test(type)) return type;
  return isText(content) ? 'text/plain' : null;
}

async function isPicture(blob) {
  try {
    (await createImageBitmap(blob)).close();
    return true;
  } catch {
    return false;
  }
}

function isText(content) {
  try {
    return !new TextDecoder('utf-8', { fatal: true }).decode(content).includes('\0');
  } catch {
    return false;
  }
}

function dataUrl(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onerror = () => reject(reader.error);
    reader.onload = () => resolve(reader.result);
    reader.readAsDataURL(blob);
  });
}
