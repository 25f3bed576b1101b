export { commandDocument, commandFields, resultDocument, resultFields } from './action.ts';
export { alertDocument, alertFields } from './alert.ts';
export {
  baseFields,
  type Document,
  ECS_VERSION,
  type KeyLookup,
  type KeyLookupByRole,
  SEVERITY,
  signatureFields,
} from './common.ts';
export { incidentDocument, incidentFields } from './incident.ts';
