export { type FileProblem, renderProblem } from './problem.ts';
export { type CheckedItems, type CheckedSchema, checkSources, readCheckedFiles, type YamlSource } from './read.ts';
