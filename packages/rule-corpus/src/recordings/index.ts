export { type Action, readActions, UNRECORDED } from './actions.ts';
export {
  checkRules,
  commandFor,
  exportRecording,
  loadRecording,
  matchesOf,
  namesOf,
  type PlayedAction,
  raisedOn,
  recordedSlugs,
  removeStale,
  slugOf,
  storeRecording,
} from './library.ts';
export { type Overlap, overlapsOf } from './overlaps.ts';
export { type PlayOptions, play } from './play.ts';
