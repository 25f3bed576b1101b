export { alertReason, joinReason } from './reason.ts';
export { storyLines, type TimelineLine, timelineOf } from './timeline.ts';
export { incidentTitle } from './title.ts';
