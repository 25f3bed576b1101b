export type { DetectorOptions } from './config.ts';
export { DetectorError, type DetectorErrorCode, DetectorStateError, RuleFilesError } from './errors.ts';
export { type DetectorDeps, type DetectorService, startDetector } from './main.ts';
export type { DetectorStats } from './metrics.ts';
export { createDetectorPipeline, type DetectorPipeline, type Rules } from './pipeline.ts';
export { readRuleFiles } from './rule-files.ts';
export { compileDetectorRules, interestOf, reloadRules } from './rules.ts';
export { STORE as DETECTOR_STORE } from './state/changelog.ts';
