import { writeSync } from 'node:fs';
import { MESSAGES_FD, type ReadMessage } from '../protocol.ts';

const EVERY_MS = 200;
const NOTES_MAX = 200;
let toldAt = Number.NEGATIVE_INFINITY;
let notes = 0;

/** Writes a message to the agent at once: the next call may never return. */
export function tell(message: ReadMessage): void {
  const bytes = Buffer.from(`${JSON.stringify(message)}\n`);
  for (let at = 0; at < bytes.length; ) at += writeSync(MESSAGES_FD, bytes, at);
}

/** Tells the agent that this process goes on, and what it reads, at most five times a second. */
export function alive(place: string): void {
  const now = performance.now();
  if (now - toldAt < EVERY_MS) return;
  toldAt = now;
  tell({ type: 'at', place: place.slice(0, 1000) });
}

/** Says in the manifest what was left out. */
export function note(text: string): void {
  notes++;
  if (notes < NOTES_MAX) tell({ type: 'note', note: text.slice(0, 1000) });
  else if (notes === NOTES_MAX) tell({ type: 'note', note: 'there is more of this kind, which is not listed' });
}
