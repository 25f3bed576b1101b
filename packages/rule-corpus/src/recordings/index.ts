export { type Action, readActions, UNRECORDED } from './actions.ts';
export {
  checkRules,
  commandFor,
  exportRecording,
  loadRecording,
  matchesOf,
  type PlayedAction,
  recordedSlugs,
  removeStale,
  slugOf,
  storeRecording,
} from './library.ts';
export { type Overlap, overlapsOf, overlapText } from './overlaps.ts';
export { type PlayOptions, play } from './play.ts';
