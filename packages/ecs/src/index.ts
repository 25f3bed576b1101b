export { commandBody, commandDocument, resultBody, resultDocument } from './action.ts';
export { alertBody, alertDocument } from './alert.ts';
export {
  type Ancestor,
  analyzerFields,
  baseFields,
  type Document,
  ECS_VERSION,
  entryLeaderFields,
  type KeyLookup,
  type KeyLookupByRole,
  SEVERITY,
  signatureFields,
} from './common.ts';
export { incidentBody, incidentDocument } from './incident.ts';
export { operatorBody, operatorDocument } from './operator.ts';
