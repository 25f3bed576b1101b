export { FILTERED_KINDS, type FieldFact, FORMS, SCOPES, wantOf } from './forms.ts';
export { type Interest, interestContent, interestSince, interestVersion } from './interest.ts';
