export { alertReason, joinReason } from './reason.ts';
export { storyLines, type TimelineStep, timelineOf } from './timeline.ts';
export { incidentTitle } from './title.ts';
